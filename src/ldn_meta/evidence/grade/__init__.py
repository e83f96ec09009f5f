"""How certain the evidence is: risk of bias and GRADE."""
