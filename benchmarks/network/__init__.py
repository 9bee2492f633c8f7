"""Distributed Lion on hosts with a slow network: network namespaces of one machine, with links of a chosen rate."""
