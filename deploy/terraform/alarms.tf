# SPDX-License-Identifier: Apache-2.0

locals {
  alarms = {
    for key, alarm in {
      percent_io_limit = {
        name        = "percent-io-limit"
        description = "More than 90% of the operations that generalPurpose permits"
        metric      = "PercentIOLimit"
        statistic   = "Average"
        comparison  = "GreaterThanThreshold"
        threshold   = 90
        period      = 300
        periods     = 2
      }
      # A file system starts with 2.1 TiB, and small ones have no more.
      burst_credit_balance = {
        name        = "burst-credit-balance"
        description = "Less than a tenth of the burst credits is left"
        metric      = "BurstCreditBalance"
        statistic   = "Average"
        comparison  = "LessThanThreshold"
        threshold   = 230897441833
        period      = 300
        periods     = 2
      }
      # Summed over one minute, which has one value, it is a number.
      client_connections = {
        name        = "client-connections"
        description = "More than 100 clients for five minutes"
        metric      = "ClientConnections"
        statistic   = "Sum"
        comparison  = "GreaterThanThreshold"
        threshold   = 100
        period      = 60
        periods     = 5
      }
      metered_io_bytes = {
        name        = "metered-io-bytes"
        description = "More than 100 GiB read and written within five minutes"
        metric      = "MeteredIOBytes"
        statistic   = "Sum"
        comparison  = "GreaterThanThreshold"
        threshold   = 107374182400
        period      = 300
        periods     = 1
      }
    } : key => alarm
    if var.create_cloudwatch_alarms && (key != "burst_credit_balance" || var.throughput_mode == "bursting")
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.name}-efs-${each.value.name}"
  alarm_description   = each.value.description
  namespace           = "AWS/EFS"
  metric_name         = each.value.metric
  dimensions          = { FileSystemId = aws_efs_file_system.this.id }
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
}
