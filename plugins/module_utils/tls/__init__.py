# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The customer's own names over TLS: certificate bundles judged and put on the load balancer, and what is served."""
