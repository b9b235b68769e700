use torture_2024 as torture;
