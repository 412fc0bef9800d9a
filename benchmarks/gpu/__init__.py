"""What only a GPU can show: agreement with the CPU, speed, and training and scans at the paper's scale."""
