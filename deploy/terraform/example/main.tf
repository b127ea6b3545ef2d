# SPDX-License-Identifier: Apache-2.0
# The module on a hawserd of this machine:
#
#	export AWS_SHARED_CREDENTIALS_FILE=/var/lib/hawser/credentials
#	terraform init && terraform apply
#
# Without `endpoints` and what belongs to them it is the same on AWS.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "endpoint" {
  description = "Where hawserd's API is."
  type        = string
  default     = "http://127.0.0.1:8077"
}

provider "aws" {
  region = "us-east-1"

  # hawserd has neither of what these would ask.
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
  skip_credentials_validation = true

  endpoints {
    cloudwatch = var.endpoint
    ec2        = var.endpoint
    efs        = var.endpoint
    kms        = var.endpoint
    sts        = var.endpoint
  }
}

variable "vpc_id" {
  description = "The VPC that hawserd starts with."
  type        = string
  default     = "vpc-0a9bd8f7e6c5a4b32"
}

data "aws_subnets" "all" {
  filter {
    name   = "vpc-id"
    values = [var.vpc_id]
  }
}

data "aws_security_group" "nodes" {
  vpc_id = var.vpc_id
  name   = "default"
}

module "efs" {
  source = "../"

  project_name = "confluent-kafka"
  environment  = "dev"

  vpc_id                     = var.vpc_id
  private_subnet_ids         = slice(sort(data.aws_subnets.all.ids), 0, 3)
  eks_node_security_group_id = data.aws_security_group.nodes.id

  throughput_mode                 = "bursting"
  transition_to_ia                = "AFTER_7_DAYS"
  create_shared_logs_access_point = false
  enable_automatic_backups        = false

  tags = { Owner = "data" }
}

output "efs" {
  value = module.efs
}
