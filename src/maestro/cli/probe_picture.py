"""The picture that `maestro registry probe` asks about when the user gives none."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

SIZE = (640, 480)
EQUATION = "2*x + 3 = 11"
PROGRAM = "print(6 * 7)"
REGION = "20,20,300,120"
"""Left, top, right, bottom in pixels: the headline."""


def probe_picture() -> Image.Image:
    """A little of everything that skills look at: a headline, an equation, a table, bars and shapes."""
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    large, small = ImageFont.load_default(36), ImageFont.load_default(22)
    draw.text((30, 40), "INVOICE 4711", fill="black", font=large)
    draw.text((360, 50), EQUATION, fill="black", font=small)
    for row, (name, amount) in enumerate((("Item", "Price"), ("Apples", "3.50"), ("Total", "42.00"))):
        top = 150 + 40 * row
        draw.text((40, top + 6), name, fill="black", font=small)
        draw.text((180, top + 6), amount, fill="black", font=small)
        draw.rectangle((30, top, 290, top + 40), outline="black", width=2)
    draw.line((170, 150, 170, 270), fill="black", width=2)
    for bar, height in enumerate((60, 110, 85)):
        left = 360 + 80 * bar
        draw.rectangle((left, 280 - height, left + 50, 280), fill="steelblue", outline="black")
        draw.text((left + 16, 286), "ABC"[bar], fill="black", font=small)
    draw.line((345, 150, 345, 280, 610, 280), fill="black", width=2)
    draw.ellipse((60, 340, 160, 440), fill="red", outline="black", width=3)
    draw.rectangle((220, 340, 320, 440), fill="blue", outline="black", width=3)
    draw.polygon(((430, 440), (490, 340), (550, 440)), fill="green", outline="black", width=3)
    return image
