"""What people typed: tables, the analysis plan, and what is wrong with them."""
