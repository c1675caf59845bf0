"""Step-level label science: values in, values out. Knows no Django, no rows and no users."""
