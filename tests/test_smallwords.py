"""Sentences that keep every name, number and verb of their source: those that say the same, and those that do not."""

from __future__ import annotations

import pytest

from qa.smallwords import small_words
from qa.wording import read

FERRY = "The ferry sails from Aldery to Marstrand every morning."
RIVAL = "The port was closed by the mayor's rival in May."
BOATS = "Nine of the twelve boats sank in the storm."
PRICES = "A ticket is 40 euros for adults and 20 for children."
MUSEUM = "The museum was to open in May."


@pytest.mark.parametrize(
    ("kind", "source", "said"),
    [
        ("direction", FERRY, "The ferry sails from Marstrand to Aldery every morning."),
        ("direction", FERRY, "The ferry sails to Aldery from Marstrand every morning."),
        ("direction", "The council voted for the plan.", "The council voted against the plan."),
        ("direction", "The vote was moved from Friday to Monday.", "The vote was moved from Monday to Friday."),
        ("direction", "The path runs above the river.", "The path runs below the river."),
        ("direction", "The shop opens before nine.", "The shop opens after nine."),
        ("owner", RIVAL, "The port was closed by the mayor in May."),
        ("owner", "Ada Byrne's brother founded the mill.", "Ada Byrne founded the mill."),
        ("owner", "The doctor treated the patient's wife.", "The doctor treated the patient."),
        ("owner", "The boys' parents won the race.", "The boys won the race."),
        ("number", BOATS, "The twelve boats sank in the storm."),
        ("number", PRICES, "A ticket is 40 euros for children."),
        ("extent", "All but two of the boats sank.", "All the boats sank."),
        ("extent", "Every second boat sank.", "Every boat sank."),
        ("alternative", "Either Lee or Kim resigned.", "Lee and Kim resigned."),
        ("exception", "Unlike the council, the mayor wanted a port.", "The council wanted a port."),
        ("exception", "All firms other than Tolven paid in May.", "Tolven paid in May."),
        ("rate", "The fee is 30 euros a month.", "The fee is 30 euros."),
        ("rate", "The boat sank twice a year.", "The boat sank twice."),
        ("rank", "Ada Byrne was the first woman to win.", "Ada Byrne was the first to win."),
        ("qualifier", "Children under six travel free.", "Children travel free."),
        ("qualifier", "The law applies to firms with more than 50 workers.", "The law applies to firms."),
        ("roles", "Lee was succeeded by Kim as director.", "Lee succeeded Kim as director."),
        ("owner", "The owner of the mill sued the bank.", "The mill sued the bank."),
        ("owner", "Part of the roof collapsed in May.", "The roof collapsed in May."),
        ("owner", "A spokesman for the bank resigned.", "The bank resigned."),
        ("owner", "Lee is Kim's daughter.", "Kim is Lee's daughter."),
        ("extent", "The ferry runs every day except Monday.", "The ferry runs every day."),
        ("roles", "Lee is owed 40 euros by Kim.", "Lee owes Kim 40 euros."),
        ("roles", "Lee let Kim open the door.", "Lee opened the door."),
        ("roles", "Lee taught Kim, and Kim taught Park.", "Lee taught Park."),
        ("roles", "The red boat won and the blue boat lost.", "The blue boat won."),
        ("clause", "Kim lives in Oslo and works in Bergen.", "Kim lives in Bergen."),
        ("clause", "Kim was born in Oslo and died in Bergen.", "Kim was born in Bergen."),
        ("future", MUSEUM, "The museum opened in May."),
        ("future", "The mayor was about to sign the contract.", "The mayor signed the contract."),
    ],
)
def test_what_says_something_else(kind: str, source: str, said: str) -> None:
    assert kind in {reason.partition(":")[0] for reason in small_words(read(said), read(source))}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (FERRY, "Every morning the ferry sails to Marstrand from Aldery."),
        (FERRY, "The ferry to Marstrand leaves Aldery every morning."),
        ("Ruiz sold the mill to Byrne.", "Byrne bought the mill from Ruiz."),
        ("The mill was founded before the war.", "It was before the war that the mill was founded."),
        (RIVAL, "In May the mayor's rival closed the port."),
        (RIVAL, "A rival of the mayor closed the port in May."),
        (
            "Nvidia's chief executive Jensen Huang spoke in Seoul.",
            "Jensen Huang, chief executive of Nvidia, spoke in Seoul.",
        ),
        ("Nvidia said that the company's revenue rose.", "Nvidia's revenue rose."),
        ("Thursday's vote ended the strike.", "A vote on Thursday ended the strike."),
        ("It's Byrne who signed the contract.", "Byrne signed the contract."),
        (BOATS, "Of the twelve boats nine sank in the storm."),
        (BOATS, "There were twelve boats."),
        ("All but two of the boats sank.", "All but two boats sank."),
        ("Every boat sank.", "Every boat sank."),
        ("Lee and Kim resigned.", "Lee and Kim resigned."),
        ("Unlike the council, the mayor wanted a port.", "The mayor wanted a port."),
        ("Unlike the council, the mayor wanted a port.", "The mayor, unlike the council, wanted a port."),
        ("The fee is 30 euros a month.", "The monthly fee is 30 euros."),
        ("The fee is 30 euros a month.", "The fee per month is 30 euros."),
        (PRICES, "A ticket is 40 euros for adults."),
        (PRICES, "Children pay 20 euros."),
        ("Ada Byrne was the first woman to win.", "The first woman to win was Ada Byrne."),
        ("Ada Byrne was first to win.", "Ada Byrne was the first to win."),
        ("Children under six travel free.", "Children travel free when they are under six."),
        ("The study enrolled the patients over 60.", "The study enrolled the patients."),
        ("Lee was succeeded by Kim as director.", "Kim succeeded Lee as director."),
        ("Lee was succeeded by Kim as director.", "Lee was succeeded as director by Kim."),
        (MUSEUM, "The museum was to open in May."),
        ("The city of Oslo sued the bank.", "Oslo sued the bank."),
        ("A group of students closed the port.", "Students closed the port."),
        ("The owner of the mill sued the bank.", "The mill's owner sued the bank."),
        ("Lee let Kim open the door.", "Kim opened the door."),
        ("Lee taught Kim, and Kim taught Park.", "Kim taught Park."),
        ("The red boat won and the blue boat lost.", "The red boat won."),
        ("Kim lives in Oslo and works in Bergen.", "Kim works in Bergen."),
        ("Kim founded the mill in Oslo and sold it in May.", "Kim sold the mill in May."),
        ("Lee was the first to open a mill.", "Lee opened a mill."),
    ],
)
def test_what_says_the_same(source: str, said: str) -> None:
    assert small_words(read(said), read(source)) == []
