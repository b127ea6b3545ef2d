# SPDX-License-Identifier: Apache-2.0
terraform {
  # Validations that look at more than one variable came with 1.9.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}
