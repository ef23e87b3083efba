"""Picture cards: what is on one (`card`), how it looks (`palettes`, `layouts`, `scenes`), and who draws it (`workers`).

Pillow is imported by the modules that draw, and by no other: a server only asks the workers.
"""
