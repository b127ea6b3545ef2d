# SPDX-License-Identifier: Apache-2.0
# The keys of hawser apply's file, with the same rules.

variable "project_name" {
  description = "Of whom the file system is; in all names."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_.-]*$", var.project_name))
    error_message = "project_name: letters, digits, '-', '_' and '.' are accepted."
  }
  validation {
    condition     = length(var.project_name) + length(var.environment) <= 40
    error_message = "project_name: it and environment have up to 40 bytes together."
  }
}

variable "environment" {
  description = "dev, staging, prod, …"
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_.-]*$", var.environment))
    error_message = "environment: letters, digits, '-', '_' and '.' are accepted."
  }
}

# ---------------------------------------------------------------- network

variable "vpc_id" {
  description = "Where the file system is reached."
  type        = string

  validation {
    condition     = can(regex("^vpc-[0-9a-f]{8,40}$", var.vpc_id))
    error_message = "vpc_id: vpc-… is accepted."
  }
}

variable "private_subnet_ids" {
  description = "A mount target in each; at least two, in different zones."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 2 && length(var.private_subnet_ids) <= 32
    error_message = "private_subnet_ids: 2 to 32 are accepted."
  }
  validation {
    condition     = alltrue([for id in var.private_subnet_ids : can(regex("^subnet-[0-9a-f]{8,40}$", id))])
    error_message = "private_subnet_ids: subnet-… is accepted."
  }
  validation {
    condition     = length(distinct(var.private_subnet_ids)) == length(var.private_subnet_ids)
    error_message = "private_subnet_ids: one is there twice."
  }
}

variable "eks_node_security_group_id" {
  description = "The security group whose members may mount."
  type        = string

  validation {
    condition     = can(regex("^sg-[0-9a-f]{8,40}$", var.eks_node_security_group_id))
    error_message = "eks_node_security_group_id: sg-… is accepted."
  }
}

variable "allowed_cidr_blocks" {
  description = "Ranges of addresses that may mount, too."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for block in var.allowed_cidr_blocks : can(cidrhost(block, 0))])
    error_message = "allowed_cidr_blocks: ranges like 10.0.0.0/16 are accepted."
  }
}

# ------------------------------------------------------------- encryption

variable "enable_encryption" {
  description = "At rest; fixed at creation."
  type        = bool
  default     = true
}

variable "kms_key_id" {
  description = "ARN of the key; null: the service's own. Fixed at creation."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_id == null || var.enable_encryption
    error_message = "kms_key_id: it needs enable_encryption to be true."
  }
}

# ------------------------------------------------------------ performance

variable "performance_mode" {
  description = "generalPurpose or maxIO; fixed at creation."
  type        = string
  default     = "generalPurpose"

  validation {
    condition     = contains(["generalPurpose", "maxIO"], var.performance_mode)
    error_message = "performance_mode: generalPurpose or maxIO is accepted."
  }
  validation {
    condition     = var.performance_mode != "maxIO" || var.throughput_mode != "elastic"
    error_message = "performance_mode: 'maxIO' does not go with throughput_mode elastic: bursting or provisioned."
  }
}

variable "throughput_mode" {
  description = "bursting, provisioned or elastic."
  type        = string
  default     = "elastic"

  validation {
    condition     = contains(["bursting", "provisioned", "elastic"], var.throughput_mode)
    error_message = "throughput_mode: bursting, provisioned or elastic is accepted."
  }
  validation {
    condition     = var.throughput_mode != "provisioned" || var.provisioned_throughput_in_mibps != null
    error_message = "throughput_mode: 'provisioned' needs provisioned_throughput_in_mibps, from 1 to 1024."
  }
}

variable "provisioned_throughput_in_mibps" {
  description = "If throughput_mode is provisioned."
  type        = number
  default     = null

  validation {
    condition = (
      var.provisioned_throughput_in_mibps == null ? true :
      var.provisioned_throughput_in_mibps >= 1 && var.provisioned_throughput_in_mibps <= 1024
    )
    error_message = "provisioned_throughput_in_mibps: a number from 1 to 1024 is accepted."
  }
}

# -------------------------------------------------------------- lifecycle

variable "transition_to_ia" {
  description = "When what nobody reads becomes Infrequent Access; null: never."
  type        = string
  default     = "AFTER_30_DAYS"

  validation {
    condition = var.transition_to_ia == null ? true : contains(
      [for days in [7, 14, 30, 60, 90] : "AFTER_${days}_DAYS"], var.transition_to_ia
    )
    error_message = "transition_to_ia: AFTER_7_DAYS, AFTER_14_DAYS, AFTER_30_DAYS, AFTER_60_DAYS or AFTER_90_DAYS is accepted, or null."
  }
}

variable "transition_to_primary_storage_class" {
  description = "When it comes back; null: never."
  type        = string
  default     = "AFTER_1_ACCESS"

  validation {
    condition     = var.transition_to_primary_storage_class == null ? true : var.transition_to_primary_storage_class == "AFTER_1_ACCESS"
    error_message = "transition_to_primary_storage_class: AFTER_1_ACCESS is accepted, or null."
  }
}

# ---------------------------------------------------------- access points

variable "create_kafka_backup_access_point" {
  description = "Of /kafka-backups."
  type        = bool
  default     = true
}

variable "create_kafka_connect_access_point" {
  description = "Of /kafka-connect-plugins."
  type        = bool
  default     = true
}

variable "create_shared_logs_access_point" {
  description = "Of /shared-logs."
  type        = bool
  default     = true
}

# --------------------------------------------------- backups and monitoring

variable "enable_automatic_backups" {
  description = "Daily, by AWS Backup."
  type        = bool
  default     = true
}

variable "create_cloudwatch_logs" {
  description = "A log group; hawserd has no CloudWatch Logs."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "Of the log group."
  type        = number
  default     = 30

  validation {
    condition     = var.log_retention_days >= 1 && var.log_retention_days <= 3653
    error_message = "log_retention_days: a number from 1 to 3653 is accepted, of those that CloudWatch Logs has."
  }
}

variable "create_cloudwatch_alarms" {
  description = "About operations, burst credits, clients and throughput."
  type        = bool
  default     = true
}

variable "alarm_actions" {
  description = "ARNs of what an alarm calls."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.alarm_actions) <= 5 && alltrue([for arn in var.alarm_actions : startswith(arn, "arn:")])
    error_message = "alarm_actions: up to 5 of arn:… are accepted."
  }
}

variable "tags" {
  description = "Of everything that can have tags."
  type        = map(string)
  default     = {}
}

# ------------------------------------------------------------------- cost

variable "estimated_usage" {
  description = "In a month, for estimated_monthly_cost; null: what is metered."
  type = object({
    standard_gb = optional(number, 0)
    ia_gb       = optional(number, 0)
    requests    = optional(number, 0)
  })
  default = null
}

variable "prices_file" {
  description = "A table of prices; null: prices.yaml of the module."
  type        = string
  default     = null
}
