"""One self-contained HTML file of one or several runs: nothing is loaded, and it works with scripts off."""
