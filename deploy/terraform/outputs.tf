# SPDX-License-Identifier: Apache-2.0
# The outputs of hawser outputs; estimated_monthly_cost stands in cost.tf.

locals {
  fs      = aws_efs_file_system.this
  targets = [for id in var.private_subnet_ids : aws_efs_mount_target.this[id]]
  points  = aws_efs_access_point.this
  alarm   = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.arn }

  # A volume that is there, and a claim to it by name.
  volumes = {
    for key, volume in {
      kafka_backups = { name = "kafka-backups", size = "100Gi" }
      kafka_connect = { name = "kafka-connect", size = "50Gi" }
    } : key => <<-EOT
      apiVersion: v1
      kind: PersistentVolume
      metadata:
        name: ${volume.name}-pv
      spec:
        capacity:
          storage: ${volume.size}
        volumeMode: Filesystem
        accessModes:
          - ReadWriteMany
        persistentVolumeReclaimPolicy: Retain
        storageClassName: efs-sc
        csi:
          driver: efs.csi.aws.com
          volumeHandle: ${local.fs.id}::${local.points[key].id}
      ---
      apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: ${volume.name}-pvc
        namespace: kafka
      spec:
        accessModes:
          - ReadWriteMany
        storageClassName: efs-sc
        volumeName: ${volume.name}-pv
        resources:
          requests:
            storage: ${volume.size}
    EOT
    if contains(keys(local.access_points), key)
  }
}

output "file_system_id" {
  description = "fs-…"
  value       = local.fs.id
}

output "file_system_arn" {
  description = "Its ARN."
  value       = local.fs.arn
}

output "file_system_dns_name" {
  description = "As AWS names it; hawserd's names nobody resolves."
  value       = local.fs.dns_name
}

output "file_system_size_in_bytes" {
  description = "Metered."
  value       = try(local.fs.size_in_bytes[0].value, 0)
}

output "mount_target_ids" {
  description = "fsmt-…, in the order of private_subnet_ids."
  value       = local.targets[*].id
}

output "mount_target_ip_addresses" {
  description = "Their addresses."
  value       = local.targets[*].ip_address
}

output "mount_target_dns_names" {
  description = "As AWS names them."
  value       = local.targets[*].mount_target_dns_name
}

output "mount_target_availability_zones" {
  description = "Their zones."
  value       = local.targets[*].availability_zone_name
}

output "kafka_backup_access_point_id" {
  description = "fsap-… of /kafka-backups."
  value       = try(local.points["kafka_backups"].id, null)
}

output "kafka_backup_access_point_arn" {
  description = "Its ARN."
  value       = try(local.points["kafka_backups"].arn, null)
}

output "kafka_connect_access_point_id" {
  description = "fsap-… of /kafka-connect-plugins."
  value       = try(local.points["kafka_connect"].id, null)
}

output "kafka_connect_access_point_arn" {
  description = "Its ARN."
  value       = try(local.points["kafka_connect"].arn, null)
}

output "shared_logs_access_point_id" {
  description = "fsap-… of /shared-logs."
  value       = try(local.points["shared_logs"].id, null)
}

output "shared_logs_access_point_arn" {
  description = "Its ARN."
  value       = try(local.points["shared_logs"].arn, null)
}

output "security_group_id" {
  description = "sg-… of the mount targets."
  value       = aws_security_group.efs.id
}

output "security_group_name" {
  description = "Its name."
  value       = aws_security_group.efs.name
}

output "percent_io_limit_alarm_arn" {
  description = "Of the alarm."
  value       = lookup(local.alarm, "percent_io_limit", null)
}

output "burst_credit_balance_alarm_arn" {
  description = "Of the alarm, which there is in throughput_mode bursting."
  value       = lookup(local.alarm, "burst_credit_balance", null)
}

output "client_connections_alarm_arn" {
  description = "Of the alarm."
  value       = lookup(local.alarm, "client_connections", null)
}

output "metered_io_bytes_alarm_arn" {
  description = "Of the alarm."
  value       = lookup(local.alarm, "metered_io_bytes", null)
}

output "mount_command" {
  description = "Mounts it over all mount targets."
  value       = "mkdir -p /mnt/efs && hawser mount ${local.targets[0].ip_address}:/ /mnt/efs"
}

output "mount_command_kernel" {
  description = "The same with Linux' own NFS client."
  value       = "mkdir -p /mnt/efs && mount -t nfs4 -o nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport ${local.targets[0].ip_address}:/ /mnt/efs"
}

# Volumes on demand: an access point for each.
output "kubernetes_storage_class" {
  description = "A manifest: StorageClass."
  value       = <<-EOT
    apiVersion: storage.k8s.io/v1
    kind: StorageClass
    metadata:
      name: efs-sc
    provisioner: efs.csi.aws.com
    parameters:
      provisioningMode: efs-ap
      fileSystemId: ${local.fs.id}
      directoryPerms: "700"
      gidRangeStart: "1000"
      gidRangeEnd: "2000"
    reclaimPolicy: Retain
    volumeBindingMode: Immediate
  EOT
}

output "kubernetes_pv_kafka_backups" {
  description = "Manifests: volume and claim."
  value       = lookup(local.volumes, "kafka_backups", null)
}

output "kubernetes_pv_kafka_connect" {
  description = "Manifests: volume and claim."
  value       = lookup(local.volumes, "kafka_connect", null)
}
