use torture_2021 as torture;
