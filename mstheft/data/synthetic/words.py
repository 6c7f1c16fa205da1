"""Sentences with gaps, and the words that fill them: the raw material of `texts`.

A gap ``{name}`` is filled with an entry of `WORDS["name"]`, which may have gaps itself. Classes
share many words on purpose: ham has offers, accounts and links, spam has friends and meetings,
countries play football and companies build rockets.
"""


def _list(text: str) -> tuple[str, ...]:
    """Split a block of text into entries, one a line or separated by bars."""
    return tuple(
        entry.strip() for line in text.split("\n") for entry in line.split("|") if entry.strip()
    )


WORDS = {
    # Shared by everything.
    "d": tuple("0123456789"),
    "d1": tuple("123456789"),
    "name": _list("""Anna | Ben | Chloe | David | Elena | Farid | Grace | Hassan | Ines | Jonas
        Kim | Laura | Marco | Nadia | Oliver | Priya | Quentin | Rosa | Samuel
        Tara | Victor | Wei"""),
    "surname": _list("""Abbott | Becker | Costa | Dubois | Eriksen | Fischer | Garcia | Haddad
        Ito | Jensen | Kowalski | Lambert | Moreau | Novak | Okafor | Petrov
        Rossi | Silva | Tanaka"""),
    "day": _list("Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday"),
    "when": _list("""tonight | tomorrow | this week | next week | on {day} | by {day} | this month
        at {d1}:{d}5 | after work | before the weekend"""),
    "city": _list("""Berlin | Nairobi | Lima | Oslo | Osaka | Cairo | Toronto | Madrid | Jakarta
        Warsaw | Chicago | Sydney | Geneva | Seoul"""),
    "country": _list("""France | Brazil | Japan | Kenya | Canada | Poland | Turkey | India | Egypt
        Australia | Mexico | Norway | Germany | South Korea | Argentina | Spain"""),
    "company": _list("""Nortek | Halden Group | Bluepeak | Orsted & Kline | Vantix | Merida Foods
        Castor Systems | Luma | Redwood Energy | Sable Motors | Pinecrest | Quantara"""),
    "few": _list("two | three | four | five | six | seven | eight"),
    # Spam and ham.
    "thing": _list("""the report | the slides | the invoice | the photos | the contract
        the draft | the tickets | the budget | your notes | the recipe
        the offer | the order | the schedule"""),
    "place": _list("""the office | the station | my place | the library | the cafe | the gym
        the airport | the school | the new restaurant | room {d1}{d}{d}"""),
    "plan": _list("""lunch | dinner | the meeting | the call | coffee | the match
        the birthday party | the walk | the parents' evening | yoga | the free concert"""),
    "person": _list(
        "mum | dad | {name} | the landlord | our boss | the team | grandma | the doctor"
    ),
    "money": _list("${d1}{d}0 | ${d1},{d}00 | ${d1}{d},000 | £{d1}{d}{d} | {d1}{d}0 euros"),
    "sum": _list("${d1}{d} million | ${d1}.{d} billion | {d1}{d}0 million euros"),
    "prize": _list("""cash | prize | bonus | reward | gift card | voucher | new phone
        luxury cruise | holiday | refund | laptop | jackpot"""),
    "goods": _list("""watches | pills | loans | insurance | software | sunglasses | shares | coins
        diet tea | printer ink | casino chips | designer bags"""),
    "act": _list(
        "click here | reply YES | call now | sign up | apply now | visit {link} | act now"
    ),
    "link": _list("""www.{goodword}-{prizeword}.example | http://{prizeword}{d}{d}.example
        {goodword}.example/{d}{d}{d}"""),
    "goodword": _list("best | super | quick | easy | top | lucky | smart | mega"),
    "prizeword": _list("deal | win | cash | offer | health | bank | shop | love"),
    "urgent": _list("today only | within 24 hours | before midnight | now | while stocks last"),
    "off": _list("{d1}0% | {d1}5% | half price | up to {d1}0%"),
    # Topics.
    "leader": _list("""president {surname} | prime minister {surname} | the foreign minister
        a government spokesman | opposition leader {surname} | the United Nations envoy"""),
    "conflict": _list("""border dispute | ceasefire | hostage crisis | election | peace plan | coup
        nuclear programme | refugee crisis | general strike | earthquake relief"""),
    "force": _list("troops | rebels | police | militants | peacekeepers | protesters | soldiers"),
    "team": _list("{city} {mascot} | {country} | {city} United | {city}"),
    "mascot": _list("Bears | Lions | Comets | Rangers | Sharks | Eagles | Rovers"),
    "contest": _list("""the final | the semi-final | the opening game | the Grand Prix | the relay
        the derby | the playoffs | the cup | the championship | the marathon"""),
    "player": _list("""striker {surname} | goalkeeper {surname} | captain {surname} | {surname}
        rookie {name} {surname} | coach {surname} | quarterback {surname}"""),
    "score": _list("{d1}-{d} | {d}-{d} | {d1}{d}-{d1}{d}"),
    "market": _list("""shares | stocks | profits | oil prices | sales | bond yields | the euro
        the dollar | retail sales | quarterly earnings"""),
    "move": _list("rose | fell | jumped | slipped | climbed | tumbled | edged up | dropped"),
    "boss": _list("chief executive {surname} | analysts | investors | regulators | the chairman"),
    "gadget": _list("""phone | browser | chip | satellite | telescope | robot | search engine
        laptop | operating system | battery | space probe | web service | virus scanner"""),
    "science": _list("""scientists | researchers | engineers | astronomers | biologists | developers
        programmers | a team at {city} University"""),
    "find": _list("""a new planet | a security hole | a gene | dark matter | a computer worm
        ice on Mars | a faster algorithm | a fossil
        a cheaper solar cell | a flaw in the software"""),
}

# (task, class) -> its sentences; class None holds what every class of the task may say.
SENTENCES = {
    ("spam", 0): _list("""
        can you send me {thing} {when}?
        are we still on for {plan} {when}?
        {person} asked about {thing}, could you check it?
        I left {thing} at {place}, sorry.
        see you at {place} {when}
        running late, start {plan} without me
        {name} says {plan} is moved to {day}, is that ok for you?
        please find attached {thing} for {plan}.
        thanks for {thing}, it looks good to me.
        your order from {company} was sent {when}, no reply is needed.
        the offer from {company} was better, so I cancelled the old account.
        I paid {money} for the room, you can give me half {when}.
        the {prize} for the quiz goes to {name}, well deserved!
        do you want to come to {plan} with {person} and me {when}?
        don't forget to call {person} {when}
        my phone died, I was at {place} with {person}.
        {person} won a {prize} at the school fair, can you believe it?
        we need {few} more people for {plan}, are you free {when}?
        happy birthday {name}, have a lovely day with {person}!
        I am stuck in traffic near {place}, begin without me
        could you pick up {person} from {place} {when}?
        the doctor can see you {when}, please bring {thing}.
        {name} broke a leg playing football, shall we visit {when}?
        I like the second version of {thing} more, what do you think?
        sorry I missed your call, I was in {plan} with {person}.
        my new address in {city} is in {thing}, come and visit!
        our flight to {city} leaves {when}, meet me at {place}
        minutes of {plan}: {name} will send {thing}, {name} books {place}.
        """),
    ("spam", 1): _list("""
        congratulations! You have won a {prize} worth {money}!
        {act} to claim your free {prize} {urgent}!
        your account has been suspended, verify your password at {link}
        lowest prices on {goods}, {off} off {urgent}
        you are selected for a {money} {prize}, {act}
        earn {money} a week from home, no experience needed
        cheap {goods} without prescription, {act}
        dear customer, we could not process your payment, confirm your card at {link}
        urgent: I am the widow of {surname} and need your help to transfer {money}
        hot singles in {city} want to meet you, {act}
        last chance: {off} off all {goods}, order at {link}
        100% guaranteed, risk free, no credit check: {goods} for everyone
        your parcel is held at {place}, pay {money} at {link}
        to stop these messages text STOP, terms and conditions apply
        buy {company} shares {urgent} and double your money
        {name}, a secret admirer sent you a {prize}, {act}
        unlimited {goods}, exclusive offer for our members: {act}
        lose weight {urgent} with our miracle {goods}, doctors are amazed
        your mailbox is almost full, log in at {link} to keep your messages
        win a {prize}! Answer one easy question at {link}
        we pay off your debts, loans up to {money} approved in minutes
        replica {goods} that look real, {off} off, {act}
        someone in {city} signed in to your account, change your password at {link}
        claim your inheritance of {money} from the late Mr {surname}, reply with your bank details
        your {company} subscription was renewed for {money}, cancel at {link}
        be your own boss, turn {money} into a fortune, {act}
        final notice: your {prize} of {money} expires {urgent}
        """),
    ("spam", None): _list("""
        hi {name},
        hello {name}, hope you are well.
        let me know {when}.
        call me on 0{d1}{d}{d} {d}{d}{d}{d} {d}{d}
        more at {link}
        have a great day!
        this is about {thing}.
        best wishes, {name} {surname}
        please answer {when}.
        the price is {money}.
        you asked for {thing} {when}.
        thank you, {company}
        it is free for you and {person}.
        """),
    ("topics", 0): _list("""
        {leader} of {country} arrived in {city} for talks on the {conflict}.
        {force} clashed with {force} near {city}, killing at least {few} people.
        {country} and {country} agreed to end the {conflict} after {few} weeks of talks.
        thousands marched in {city} as the {conflict} divided {country}.
        {leader} warned that the {conflict} threatens peace in the region.
        a bomb exploded outside an embassy in {city} on {day}, officials said.
        voters in {country} went to the polls on {day} amid the {conflict}.
        {country} withdrew its {force} from the border with {country}.
        aid workers in {country} said the {conflict} left {few} thousand people without shelter.
        {leader} won the vote in {country}, but {leader} spoke of fraud.
        {force} freed {few} hostages in {city} after a night of gunfire.
        the parliament of {country} passed a law on the {conflict} after a heated debate.
        {country} expelled {few} diplomats of {country} in a row over the {conflict}.
        {leader} rejected sanctions against {country} over the {conflict}.
        """),
    ("topics", 1): _list("""
        {team} beat {team} {score} in {contest} on {day}.
        {player} scored {few} goals as {team} reached {contest}.
        {player} will miss {contest} with a knee injury, {team} said.
        {team} signed {player} from {team} for {sum}.
        {player} set a world record in {contest} in {city}.
        {team} fired their coach after losing {score} to {team}.
        {team} came from behind to win against {team} in {contest}.
        {player} broke a leg in training and is out for {few} months.
        {city} will host {contest} after {country} withdrew its bid.
        {player} hit {few} home runs and led {team} past {team}.
        the referee of {contest} sent off {player} in a heated match in {city}.
        fans in {city} celebrated as {team} won {contest} in extra time.
        {player} of {country} took gold ahead of {surname} of {country}.
        {player} was banned for {few} games after a failed drug test.
        """),
    ("topics", 2): _list("""
        {market} {move} on {day} after {company} cut its forecast.
        {company} agreed to buy {company} for {sum} in cash.
        {boss} said {market} {move} because of weak demand in {country}.
        {company} raised prices as {market} {move} for the third week.
        {market} {move} after {leader} announced lower taxes in {country}.
        {boss} of {company} resigned after the bank found losses of {sum}.
        {company} plans to open {few} factories in {country}.
        {company} will borrow {sum} to pay its debts.
        {company} will cut {d1}{d}0 jobs in {city} to reduce costs.
        {boss} expect the central bank of {country} to raise interest rates.
        {company} reported that {market} {move} {d1}.{d} percent in the quarter.
        {boss} sued {company} over its accounts.
        {market} {move} sharply as {boss} bet on a merger with {company}.
        the trade deficit of {country} widened while {market} {move}.
        """),
    ("topics", 3): _list("""
        {science} have found {find}, a journal reported on {day}.
        {company} unveiled a {gadget} that runs on a tiny battery.
        a new {gadget} from {company} lets users share music and video online.
        {science} warned of a flaw in a popular {gadget}.
        the {gadget} launched from {country} sent back its first images.
        {company} released a free update for its {gadget} to close {find}.
        {science} built a {gadget} that learns from {few} examples.
        {company} and {company} quarrel over patents on the {gadget}.
        {company} will sell its {gadget} in {country} before anyone else.
        {science} in {country} fear that {find} will change how a {gadget} is made.
        hackers stole the data of {few} million users of a {gadget}.
        {leader} asked {science} to explain {find}.
        rivals of {company} plan a {gadget} that is twice as fast.
        a study by {science} links {find} to climate change.
        """),
    ("topics", None): _list("""
        {company} did not comment on {day}.
        more details are expected {when}.
        {name} {surname} reports from {city}.
        the last {few} months were not easy, {surname} said.
        the news surprised many people in {city}.
        {country} is watching closely.
        it cost about {sum}, according to {company}.
        the decision came after {few} hours of talks in {city}.
        "we did what we could," said {name} {surname}.
        critics say that it comes too late.
        """),
}
