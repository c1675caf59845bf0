"""Word problems as small programs: what is given, what follows in which order, and the words for it."""

# ruff: noqa: E501 - sentences read best unbroken

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

Operator = Literal["+", "-", "*", "/"]
Values = dict[str, Fraction]


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity that follows from two others. `says` leads to the calculation, `unit` follows the value.

    `dropped` is how the step reads when the condition it stands for is forgotten and the left value kept; `confused` is the
    factor that is used when its unit conversion goes wrong.
    """

    name: str
    left: str
    operator: Operator
    right: str
    says: str
    unit: str
    dropped: str = ""
    confused: int = 0

    def value(self, values: Values) -> Fraction:
        return apply(self.operator, values[self.left], values[self.right])


@dataclass(frozen=True, slots=True)
class Story:
    """A kind of problem. `given` holds the range of every number that the statement names; `fixed` known constants."""

    name: str
    statement: str
    given: dict[str, range]
    lines: tuple[Line, ...]
    ends: str
    fixed: tuple[tuple[str, int], ...] = ()


def apply(operator: Operator, left: Fraction, right: Fraction) -> Fraction:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right if right else Fraction(0)


# fmt: off
STORIES: Final = (
    Story(
        "bakery",
        "{who}'s bakery bakes {trays} trays with {per} rolls each. {burnt} rolls burn and are thrown away. The others are "
        "packed into bags of {bag}, and each bag is sold for {price} dollars. Flour and gas for the day cost {cost} dollars. How many "
        "dollars does {who} earn that day after paying for flour and gas?",
        {
            "trays": range(6, 20),
            "per": range(12, 37, 2),
            "burnt": range(4, 25),
            "bag": range(4, 11),
            "price": range(2, 7),
            "cost": range(20, 61, 5),
        },
        (
            Line("rolls", "trays", "*", "per", "the number of rolls baked is", "rolls"),
            Line("good", "rolls", "-", "burnt", "without the burnt ones there are", "rolls", "all of the {a} rolls can be sold."),
            Line("bags", "good", "/", "bag", "packed into bags that makes", "bags"),
            Line("sales", "bags", "*", "price", "selling every bag brings in", "dollars"),
            Line("profit", "sales", "-", "cost", "after paying for flour and gas {who} keeps", "dollars", "{who} keeps all {a} dollars."),
        ),
        "{who} earns {v} dollars that day.",
    ),
    Story(
        "trip",
        "A school takes {students} students and {teachers} teachers on a trip. {ill} of the students fall ill and stay at "
        "home. Each bus has {seats} seats, every seat is taken, and a bus costs {bus} dollars a day. The trip lasts {days} days. "
        "How many dollars do the buses cost altogether?",
        {
            "students": range(90, 241, 5),
            "teachers": range(6, 25),
            "ill": range(2, 16),
            "seats": range(18, 49),
            "bus": range(150, 401, 25),
            "days": range(2, 6),
        },
        (
            Line("well", "students", "-", "ill", "the number of students who come is", "students", "all {a} students come along."),
            Line("people", "well", "+", "teachers", "together with the teachers that is", "people", "{a} people travel."),
            Line("buses", "people", "/", "seats", "filling every seat they need", "buses"),
            Line("daily", "buses", "*", "bus", "for one day the buses cost", "dollars"),
            Line("total", "daily", "*", "days", "for the whole trip that is", "dollars", "the trip's buses come to {a} dollars."),
        ),
        "The buses cost {v} dollars altogether.",
    ),
    Story(
        "garden",
        "{who} plants {rows} rows of {each} tomato plants. Frost kills {dead} of them. Every plant that is left bears {fruit} "
        "tomatoes. {who} keeps {kept} tomatoes and packs the rest into crates of {crate}. How many crates does {who} fill?",
        {
            "rows": range(5, 15),
            "each": range(8, 25),
            "dead": range(3, 30),
            "fruit": range(10, 31),
            "kept": range(10, 61, 2),
            "crate": range(15, 61),
        },
        (
            Line("plants", "rows", "*", "each", "the number of plants is", "plants"),
            Line("alive", "plants", "-", "dead", "after the frost there are", "plants", "{a} plants bear fruit."),
            Line("harvest", "alive", "*", "fruit", "they bear", "tomatoes"),
            Line("packed", "harvest", "-", "kept", "what is left to pack is", "tomatoes", "all {a} tomatoes are packed."),
            Line("crates", "packed", "/", "crate", "in crates that makes", "crates"),
        ),
        "{who} fills {v} crates.",
    ),
    Story(
        "cyclist",
        "{who} is on the road for {hours} hours and rests for {rest} minutes of that time. While riding, {who} covers {speed} "
        "metres a minute. The last {push} metres {who} has to push the bicycle, which is counted in the distance. {who} does "
        "the same on each of {days} days. How many metres does {who} ride without pushing in all?",
        {
            "hours": range(2, 8),
            "rest": range(10, 61, 5),
            "speed": range(180, 401, 20),
            "push": range(200, 2001, 100),
            "days": range(2, 8),
        },
        (
            Line("minutes", "hours", "*", "sixty", "in minutes the time on the road is", "minutes", confused=100),
            Line("riding", "minutes", "-", "rest", "without the rest {who} moves for", "minutes", "{who} moves for {a} minutes."),
            Line("distance", "riding", "*", "speed", "in that time {who} covers", "metres"),
            Line("ridden", "distance", "-", "push", "without the part that is pushed it is", "metres", "{who} rides {a} metres a day."),
            Line("total", "ridden", "*", "days", "over all the days that makes", "metres"),
        ),
        "{who} rides {v} metres in all.",
        (("sixty", 60),),
    ),
    Story(
        "library",
        "A library has {shelves} shelves with {books} books each. It is given {gift} more books and lends {lent} books out. "
        "The books that are there are moved on carts that hold {cart} books, all carts full. Each cart takes {minutes} minutes, "
        "and the helpers stop for a break of {rest} minutes once. How many minutes does the move take, break included?",
        {
            "shelves": range(8, 31),
            "books": range(20, 51),
            "gift": range(20, 121, 4),
            "lent": range(15, 101),
            "cart": range(16, 61),
            "minutes": range(3, 13),
            "rest": range(10, 41, 5),
        },
        (
            Line("owned", "shelves", "*", "books", "the shelves hold", "books"),
            Line("more", "owned", "+", "gift", "with the gift that is", "books", "the library has {a} books."),
            Line("there", "more", "-", "lent", "without those lent out there are", "books", "{a} books must be moved."),
            Line("carts", "there", "/", "cart", "that fills", "carts"),
            Line("moving", "carts", "*", "minutes", "moving them takes", "minutes"),
            Line("total", "moving", "+", "rest", "with the break it is", "minutes", "the move takes {a} minutes."),
        ),
        "The move takes {v} minutes.",
    ),
    Story(
        "paint",
        "{who} paints {walls} walls, each {width} metres wide and {height} metres high. Windows of {glass} square metres in all are "
        "left out. Every wall gets {coats} coats. One can covers {cover} square metres and costs {price} dollars. How many dollars "
        "do the cans cost if none is left over?",
        {
            "walls": range(3, 9),
            "width": range(3, 10),
            "height": range(2, 6),
            "glass": range(3, 19),
            "coats": range(2, 4),
            "cover": range(6, 25),
            "price": range(9, 31),
        },
        (
            Line("one", "width", "*", "height", "one wall has an area of", "square metres"),
            Line("all", "one", "*", "walls", "all the walls have", "square metres"),
            Line("net", "all", "-", "glass", "without the windows that is", "square metres", "{a} square metres are painted."),
            Line("coated", "net", "*", "coats", "with all coats the area to cover is", "square metres", "the paint must cover {a} square metres."),
            Line("cans", "coated", "/", "cover", "that takes", "cans"),
            Line("total", "cans", "*", "price", "the cans cost", "dollars"),
        ),
        "The cans cost {v} dollars.",
    ),
    Story(
        "savings",
        "{who} saves {weekly} dollars a week for {weeks} weeks, and then spends {spent} dollars on a present. An aunt adds {aunt} dollars. {who} changes "
        "all of it into coins of {coin} cents and shares the coins equally among {jars} jars. How many coins are in each jar?",
        {
            "weekly": range(5, 31),
            "weeks": range(6, 27),
            "spent": range(15, 81, 5),
            "aunt": range(10, 61, 5),
            "coin": range(5, 51, 5),
            "jars": range(3, 13),
        },
        (
            Line("saved", "weekly", "*", "weeks", "{who} saves", "dollars"),
            Line("left", "saved", "-", "spent", "after buying the present there are", "dollars", "{who} has {a} dollars."),
            Line("money", "left", "+", "aunt", "with the aunt's money that is", "dollars", "{who} can change {a} dollars."),
            Line("cents", "money", "*", "hundred", "in cents that is", "cents", confused=10),
            Line("coins", "cents", "/", "coin", "changed into coins that makes", "coins"),
            Line("each", "coins", "/", "jars", "shared out, each jar gets", "coins"),
        ),
        "There are {v} coins in each jar.",
        (("hundred", 100),),
    ),
    Story(
        "factory",
        "A factory runs {machines} machines, and each makes {rate} screws a minute. They run for {hours} hours. {faulty} screws "
        "are faulty and melted down. The good ones go into boxes of {box}, and a truck takes {truck} boxes. How many "
        "full trucks leave the factory?",
        {
            "machines": range(2, 13),
            "rate": range(5, 41, 5),
            "hours": range(2, 11),
            "faulty": range(40, 401, 20),
            "box": range(20, 101, 10),
            "truck": range(4, 41),
        },
        (
            Line("minutely", "machines", "*", "rate", "in a minute all machines make", "screws"),
            Line("minutes", "hours", "*", "sixty", "they run for", "minutes", confused=24),
            Line("made", "minutely", "*", "minutes", "in that time they make", "screws"),
            Line("good", "made", "-", "faulty", "without the faulty ones there are", "screws", "{a} screws are packed."),
            Line("boxes", "good", "/", "box", "they fill", "boxes"),
            Line("trucks", "boxes", "/", "truck", "loaded onto trucks that is", "trucks"),
        ),
        "{v} trucks leave the factory.",
        (("sixty", 60),),
    ),
    Story(
        "eggs",
        "{who} has {hens} hens, and each lays {eggs} eggs a week. In {weeks} weeks {broken} eggs break. {who} uses {used} eggs in "
        "the kitchen, sells the rest by the dozen and gets {price} dollars for a dozen. How many dollars does {who} get?",
        {
            "hens": range(8, 41),
            "eggs": range(4, 8),
            "weeks": range(2, 9),
            "broken": range(5, 40),
            "used": range(10, 80),
            "price": range(2, 7),
        },
        (
            Line("weekly", "hens", "*", "eggs", "in a week the hens lay", "eggs"),
            Line("laid", "weekly", "*", "weeks", "in all the weeks that makes", "eggs", "there are {a} eggs."),
            Line("whole", "laid", "-", "broken", "without the broken ones there are", "eggs", "there are {a} eggs to use or sell."),
            Line("sold", "whole", "-", "used", "after the kitchen has had its share there are", "eggs", "{a} eggs are sold."),
            Line("dozens", "sold", "/", "twelve", "that is", "dozens", confused=10),
            Line("money", "dozens", "*", "price", "selling them brings", "dollars"),
        ),
        "{who} gets {v} dollars.",
        (("twelve", 12),),
    ),
    Story(
        "cinema",
        "A cinema has {rows} rows of {seats} seats, and {broken} seats are broken and stay empty. For the film every other seat is sold: "
        "{children} to children for {child} dollars each, the others to adults for {adult} dollars each. How many dollars does the cinema take?",
        {
            "rows": range(8, 21),
            "seats": range(10, 26),
            "broken": range(2, 15),
            "children": range(15, 71),
            "child": range(4, 9),
            "adult": range(9, 16),
        },
        (
            Line("all", "rows", "*", "seats", "the cinema has", "seats"),
            Line("sold", "all", "-", "broken", "without the broken ones it sells", "seats", "{a} seats are sold."),
            Line("adults", "sold", "-", "children", "adults take", "seats", "adults take {a} seats."),
            Line("grown", "adults", "*", "adult", "the adults pay", "dollars"),
            Line("young", "children", "*", "child", "the children pay", "dollars"),
            Line("total", "grown", "+", "young", "together that is", "dollars", "the cinema takes {a} dollars."),
        ),
        "The cinema takes {v} dollars.",
    ),
)
# fmt: on

NAMES: Final = (
    "Ada", "Ben", "Chidi", "Dana", "Elif", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Kavya", "Lena", "Mateo", "Nadia",
    "Omar", "Petra", "Quinn", "Rosa", "Sven", "Tara", "Uma", "Viktor", "Wanda", "Xenia", "Yusuf", "Zoe",
)  # fmt: skip
