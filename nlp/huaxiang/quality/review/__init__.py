"""Review: sampling, 复核, 申诉 and 终审, calibration of reviewers, and corrections of what was heard.

Everything that people say is a row that is only ever added; what holds is computed from the rows.
"""
