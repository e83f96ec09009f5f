"""From raw tables to effects and pools: pandas tables in, pandas tables out."""
