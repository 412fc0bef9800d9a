"""What is timed, and with which commands; results go to standard output and, when asked, to results/."""
