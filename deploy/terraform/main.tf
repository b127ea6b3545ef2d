# SPDX-License-Identifier: Apache-2.0
# A file system with what stands around it: mount targets, access points, a
# security group, alarms.  hawser apply makes the same of the same inputs.

locals {
  name = "${var.project_name}-${var.environment}"
  tags = merge({ Project = var.project_name, Environment = var.environment }, var.tags)

  # The user and group of Kafka's images.
  kafka_id = 1000

  access_points = {
    for key, point in {
      kafka_backups = { create = var.create_kafka_backup_access_point, path = "/kafka-backups", name = "kafka-backups" }
      kafka_connect = { create = var.create_kafka_connect_access_point, path = "/kafka-connect-plugins", name = "kafka-connect" }
      shared_logs   = { create = var.create_shared_logs_access_point, path = "/shared-logs", name = "shared-logs" }
    } : key => point if point.create
  }

  metered_gb = {
    standard_gb = try(aws_efs_file_system.this.size_in_bytes[0].value_in_standard, 0) / 1e9
    ia_gb       = try(aws_efs_file_system.this.size_in_bytes[0].value_in_ia, 0) / 1e9
  }
}

resource "aws_security_group" "efs" {
  name        = "${local.name}-efs"
  description = "NFS to the file system of the stack"
  vpc_id      = var.vpc_id
  tags        = merge({ Name = "${local.name}-efs" }, local.tags)

  ingress {
    protocol         = "tcp"
    from_port        = 2049
    to_port          = 2049
    security_groups  = [var.eks_node_security_group_id]
    cidr_blocks      = [for block in var.allowed_cidr_blocks : block if !strcontains(block, ":")]
    ipv6_cidr_blocks = [for block in var.allowed_cidr_blocks : block if strcontains(block, ":")]
  }
}

resource "aws_efs_file_system" "this" {
  encrypted        = var.enable_encryption
  kms_key_id       = var.kms_key_id
  performance_mode = var.performance_mode
  throughput_mode  = var.throughput_mode
  provisioned_throughput_in_mibps = (
    var.throughput_mode == "provisioned" ? var.provisioned_throughput_in_mibps : null
  )
  tags = merge({ Name = "${local.name}-efs" }, local.tags)

  # One transition in each.
  dynamic "lifecycle_policy" {
    for_each = var.transition_to_ia[*]
    content {
      transition_to_ia = lifecycle_policy.value
    }
  }
  dynamic "lifecycle_policy" {
    for_each = var.transition_to_primary_storage_class[*]
    content {
      transition_to_primary_storage_class = lifecycle_policy.value
    }
  }
}

resource "aws_efs_backup_policy" "this" {
  file_system_id = aws_efs_file_system.this.id

  backup_policy {
    status = var.enable_automatic_backups ? "ENABLED" : "DISABLED"
  }
}

resource "aws_efs_mount_target" "this" {
  for_each = toset(var.private_subnet_ids)

  file_system_id  = aws_efs_file_system.this.id
  subnet_id       = each.value
  security_groups = [aws_security_group.efs.id]
}

resource "aws_efs_access_point" "this" {
  for_each = local.access_points

  file_system_id = aws_efs_file_system.this.id
  tags           = merge({ Name = "${local.name}-${each.value.name}" }, local.tags)

  posix_user {
    uid = local.kafka_id
    gid = local.kafka_id
  }

  root_directory {
    path = each.value.path

    creation_info {
      owner_uid   = local.kafka_id
      owner_gid   = local.kafka_id
      permissions = "0755"
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  count = var.create_cloudwatch_logs ? 1 : 0

  name              = "/aws/efs/${local.name}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}
