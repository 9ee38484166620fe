"""Training on datasets: what a file asks for (``config``), which samples come (``sampling``), the loop (``loop``)."""
