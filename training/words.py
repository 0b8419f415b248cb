"""Words that change a question's meaning, and words that do not: the raw material of near misses and paraphrases."""

from __future__ import annotations

from qa.wording import antonyms

_SYNONYMS = """
founded/established/set up/started/created
founder/creator/originator
began/started/commenced
begin/start/commence
ended/finished/concluded/stopped
died/passed away/lost his life
built/constructed/erected/put up
bought/purchased/acquired
located/situated/found
largest/biggest/greatest
large/big/huge
small/little/tiny
wrote/authored/penned
written/authored/penned
film/movie/motion picture
created/made/produced
leader/head/chief/boss
led/headed/ran/was in charge of
ruler/king/monarch
country/nation/state
job/occupation/profession
occupation/job/line of work
earn/make/receive
won/received/was awarded
cost/price/expense
money/cash/funds
gave/donated/handed over
said/stated/claimed/told
called/named/known as
name/title
area/region/district
people/persons/inhabitants
population/number of inhabitants/number of people
approximately/roughly/about/around
main/primary/chief/principal
important/significant/key
difficult/hard/tough
famous/well known/renowned
often/frequently/regularly
children/kids
child/kid
car/automobile/vehicle
house/home/residence
road/street/route
school/college/academy
university/college
student/pupil/learner
teacher/instructor/tutor
doctor/physician
company/firm/business/corporation
type/kind/sort
method/way/approach
reason/cause/motive
purpose/aim/goal
result/outcome/consequence
effect/impact/influence
use/employ/utilize
used/employed/utilized
help/aid/assist
helped/aided/assisted
show/demonstrate/reveal
showed/demonstrated/revealed
increase/rise/growth
decrease/decline/drop/fall
increased/rose/grew/went up
decreased/declined/dropped/fell/went down
destroyed/wrecked/ruined
attacked/assaulted
defeated/beat/overcame
captured/seized/took
killed/slain
moved/relocated/transferred
left/departed/quit
joined/became a member of/entered
became/turned into
happened/occurred/took place
happen/occur/take place
held/took place
appeared/showed up
released/published/issued/brought out
introduced/launched/brought in
discovered/found/detected
invented/devised/came up with
developed/created/designed
designed/planned/drew up
owned/possessed/belonged to
ruled/governed/reigned over
elected/chosen/voted in
appointed/named/chosen
allowed/permitted/let
required/needed/obliged
need/require
forced/compelled/made
prevented/stopped/kept
tried/attempted/sought
try/attempt
wanted/wished/desired
believed/thought/held
think/believe
considered/regarded as/seen as
described/characterized/portrayed
received/got/obtained
get/obtain/receive
caused/led to/brought about
cause/lead to/bring about
included/contained/comprised
include/contain/comprise
consists of/is made up of/comprises
replaced/took the place of/superseded
married/wed
lived/resided/dwelt
live/reside
grew up/was raised
studied/was educated
attended/went to
taught/gave lessons in
worked/was employed
performed/played/gave a concert
victory/win/triumph
war/conflict/armed conflict
battle/fight
agreement/deal/pact/accord
law/act/statute
rule/regulation
government/administration
army/armed forces/military
soldiers/troops
ship/vessel/boat
aircraft/plane/airplane
religion/faith/belief
illness/disease/sickness
food/diet
language/tongue
age/how old
year/date
percentage/percent/share/proportion
amount/quantity
number/count/total
length/how long
height/how tall
speed/how fast
distance/how far
currently/now/at present
formerly/previously/once
"""

_NUMBER_WORDS = "two three four five six seven eight nine ten eleven twelve twenty thirty fifty hundred"
_ORDINALS = "second third fourth fifth sixth seventh eighth ninth tenth twentieth"
_CENTURIES = "14th 15th 16th 17th 18th 19th 20th 21st"
_MONTHS = "January February March April June July August September October November December"
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"

SERIES = [tuple(line.split()) for line in (_NUMBER_WORDS, _ORDINALS, _CENTURIES, _MONTHS, _DAYS)]
"""Words of one kind: any can stand where another of its series stands."""

FUNCTION_WORDS = frozenset(
    """a an the of in on at to for from by with about as into and or is are was were be been being do does did has have
    had what which who whom whose when where why how that this these those it its there their his her he she they will
    would can could should may might must than then also s t""".split()
)


def _opposites() -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for one, other in antonyms():
        table.setdefault(one, []).append(other)
        table.setdefault(other, []).append(one)
    return table


def _synonyms() -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for line in _SYNONYMS.strip().splitlines():
        first, *others = line.split("/")
        table.setdefault(first, []).extend(others)
    return table


ANTONYMS = _opposites()
"""Word to words that make its statement false or another one."""

SYNONYMS = _synonyms()
"""Word to words that ask the same; one way only, as the general word is not always the special one."""

MEASURES = {
    "much": "price", "many": "number", "long": "length", "old": "age", "large": "size", "big": "size", "tall": "height",
    "high": "height", "deep": "depth", "wide": "width", "fast": "speed", "far": "distance", "heavy": "weight",
    "hot": "temperature", "loud": "noise level",
}  # fmt: skip
"""What "how …" asks for."""

HEDGES = [
    ("may {base}", "might {base}"), ("could {base}", "may {base}"), ("plans to {base}", "intends to {base}"),
    ("hopes to {base}", "would like to {base}"), ("is expected to {base}", "is likely to {base}"),
    ("reportedly {past}", "is said to have {participle}"), ("allegedly {past}", "is alleged to have {participle}"),
    ("was asked to {base}", "was requested to {base}"), ("tried to {base}", "attempted to {base}"),
    ("wanted to {base}", "wished to {base}"), ("agreed to {base}", "consented to {base}"),
    ("considered {gerund}", "thought about {gerund}"), ("refused to {base}", "would not {base}"),
    ("denied {gerund}", "denied having {participle}"), ("failed to {base}", "did not manage to {base}"),
    ("nearly {past}", "almost {past}"), ("threatened to {base}", "warned that it would {base}"),
    ("was about to {base}", "was on the point of {gerund}"), ("offered to {base}", "made an offer to {base}"),
    ("promised to {base}", "pledged to {base}"), ("never {past}", "did not {base}"),
    ("rarely {past}", "seldom {past}"), ("no longer {present}", "does not {base} any more"),
]  # fmt: skip
"""What takes the fact out of a verb in the past, each with words that say the same."""
AGAINST = ("refused", "denied", "failed", "never", "no longer", "would not", "did not", "does not")

LIMITS = [
    ("up to", "as many as"), ("more than", "over"), ("at least", "no fewer than"), ("nearly", "almost"),
    ("about", "around"), ("fewer than", "under"), ("at most", "no more than"),
]  # fmt: skip
"""What limits a number, each with words that say the same."""

REPORTS = [
    ("It is rumoured that {}", "According to rumours, {}"), ("Critics claim that {}", "{}, critics claim"),
    ("It is not known whether {}", "Whether {} is unknown"), ("Few believe that {}", "Only a few think that {}"),
    ("The company denied that {}", "{}, which the company denied"), ("It is not true that {}", "It is false that {}"),
    ("Nobody has shown that {}", "It has not been shown that {}"), ("There are fears that {}", "Some fear that {}"),
]  # fmt: skip
"""Who says so, if not the text itself, each in two ways."""
FALSE_REPORTS = ("denied", "not true", "false")

CONDITIONS = [
    ("if the council agrees", "should the council agree"), ("unless the court objects", "if the court does not object"),
    ("provided that money is found", "if money is found"), ("only on paper", "on paper only"),
    ("once the permits are granted", "after permits are granted"), ("if the weather allows it", "weather permitting"),
]  # fmt: skip
"""What a fact is made to hang on, each with words that say the same."""

QUANTITIES = [
    ("some", ["a few", "certain"], ["all", "most", "no"]), ("many", ["a lot of", "numerous"], ["all", "most", "few"]),
    ("most", ["the majority of"], ["all", "some", "few"]), ("several", ["a number of"], ["all", "most"]),
    ("all", ["every one of the"], ["some", "most", "no"]), ("often", ["frequently"], ["always", "never", "rarely"]),
    ("usually", ["generally", "as a rule"], ["always", "never"]), ("sometimes", ["occasionally"], ["always", "often"]),
    ("mainly", ["mostly", "chiefly"], ["only", "entirely"]), ("partly", ["in part"], ["entirely", "fully"]),
    ("one of the", ["among the"], ["the"]), ("few", ["not many"], ["many", "no"]),
    ("both", ["the two"], ["neither of the"]),
    ("almost", ["nearly"], ["more than"]), ("only", ["just"], ["not only"]), ("generally", ["usually"], ["always"]),
    ("always", ["at all times"], ["sometimes", "never"]), ("probably", ["likely"], ["certainly"]),
    ("possibly", ["perhaps"], ["certainly"]), ("approximately", ["roughly"], ["exactly"]),
]  # fmt: skip
"""How much or how sure, with words that say the same and words that do not."""
