# SPDX-License-Identifier: Apache-2.0
# What it costs in a month: amounts by prices, each line rounded to cents.

locals {
  price_table = yamldecode(file(coalesce(var.prices_file, "${path.module}/prices.yaml")))

  cost_items = [
    { usage = "standard_gb", price = "standard_gb", item = "Storage (Standard)", unit = "GB", per = 1 },
    { usage = "ia_gb", price = "ia_gb", item = "Storage (Infrequent Access)", unit = "GB", per = 1 },
    { usage = "requests", price = "thousand_requests", item = "Requests", unit = "requests", per = 1000 },
    { usage = "provisioned_mibps", price = "provisioned_mibps", item = "Provisioned throughput", unit = "MiB/s", per = 1 },
  ]

  stack_usage = merge(
    { for name, amount in local.metered_gb : name => amount if var.estimated_usage == null },
    { for name, amount in coalesce(var.estimated_usage, {}) : name => amount if var.estimated_usage != null },
    { for amount in var.provisioned_throughput_in_mibps[*] : "provisioned_mibps" => amount if var.throughput_mode == "provisioned" },
  )

  cost_lines = {
    for name, usage in merge({ stack = local.stack_usage }, { for name, usage in local.price_table.scenarios : "scenario/${name}" => usage }) :
    name => [
      for item in local.cost_items : {
        item   = item.item
        amount = usage[item.usage]
        unit   = item.unit
        price  = local.price_table.prices[item.price]
        per    = item.per
        cost   = floor(usage[item.usage] / item.per * local.price_table.prices[item.price] * 100 + 0.5) / 100
      } if try(usage[item.usage], 0) != 0
    ]
  }

  costs = {
    for name, lines in local.cost_lines :
    name => { lines = lines, total = sum(concat([0], lines[*].cost)) }
  }
}

output "estimated_monthly_cost" {
  description = "By the table of prices: of this file system, and of the table's scenarios."
  value = {
    currency  = local.price_table.currency
    stack     = local.costs["stack"]
    scenarios = { for name, cost in local.costs : trimprefix(name, "scenario/") => cost if name != "stack" }
  }
}
