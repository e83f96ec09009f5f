"""What readers see: figures, tables, sentences, provenance, pages."""
