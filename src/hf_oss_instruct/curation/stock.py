"""Words in which nearly every programming exercise is written: ten of them in a row say nothing about where they come from.

The list holds function words, the verbs and nouns of instructions ("implement", "takes", "input"), and the things that exercises
are about ("string", "sum", "largest"): words that stand in many statements of HumanEval, MBPP and of ordinary exercises, and
their other forms. It is a fixed list and not counted from the lists at hand, so that one benchmark more changes no other's hits.
"""

from __future__ import annotations

from hf_oss_instruct.curation import readings, words
from hf_oss_instruct.curation.words import Hashes

_GRAMMAR = (
    "a about after all also an and any are as at be been before being below between both but by can could do does doing "
    "done down each either else every few following follows for from get gets getting give given gives giving go had has "
    "have having here how if in inside into is it its itself just let like made make makes making many may me might more "
    "most much must my need needed needs neither no non none nor not of off on once only onto or other others otherwise our "
    "out over own per please same shall should so some such than that the their them then there these they this those "
    "through to too under until up upon us use used uses using very was we were what when where whether which while who "
    "whose will with within without would yes you your"
)
_INSTRUCTION = (
    "accept accepting accepts accordance algorithm answer appropriate argument arguments asked assert assume based basic "
    "body build call called calls carefully case cases challenge class clean code come comes complete constraint "
    "constraints contain containing contains correct correctly create created creates creating define defined defines "
    "definition design designed develop developing docstring easy efficient ensure error exactly example examples exercise "
    "expected explanation expression false form format function functions general goal handle helper implement "
    "implementation implementing implements input inputs instruction instructions java javascript lambda language line "
    "lines main method methods mode module name named names note operation operations output outputs parameter parameters "
    "pass perform performing performs possible print prints problem procedure process processes produce produces program "
    "programming programs provide provided provides purpose python question receive receives recursion recursive regex "
    "represent represented representing represents require required requires result resulting results return returned "
    "returning returns rules run satisfies satisfy simple simply snippet solution solve solves solving specific specified "
    "specify statement step steps take taken takes taking task tasked tasks test tests true try type types valid value "
    "values variable variables want way ways works write writes writing written"
)
_MATTER = (
    "above absolute add added addition adds adjacent aggregate alphabet alphabetical alphabetically alternate among amount "
    "appear appearing appears append area array arrays ascending ascii available average binary bit bits bool boolean "
    "calculate calculated calculates calculating change char character characters check checking checks circle "
    "circumference collection column columns combine combined common compare complex compute computed computes computing "
    "condition conditions consecutive consists convert converted converting converts copy corresponding count counted "
    "counting counts cube current cylinder data date decimal decreasing delete depth descending describe describes detect "
    "determine determines determining dict dictionaries dictionary differ difference differences different digit digits "
    "distance distinct divide divided divisible division divisor divisors dot double duplicate duplicates eight element "
    "elements eliminate empty end ending ends entire equal equals equivalent evaluate even exist exists extract factor "
    "factorial factors fifth figure fill filter find finding finds first five flatten float floating four fourth "
    "frequencies frequency generate generates greater greatest group groups half height higher highest hundred identical "
    "increasing index indexes indices individual insert integer integers item items iterable join key keys kind kth large "
    "larger largest last least left length lengths less letter letters list lists long longer longest lower lowercase "
    "lowest map match matches matching math matrix max maximal maximize maximum mean median merge middle min minimal "
    "minimize minimum minus modify move multiple multiples multiplication multiplied multiply n natural negative "
    "neighboring nested new next nine node nonnegative nth null number numbers numeric object objects occur occurence "
    "occurrence occurrences occurring occurs odd one ones opposite order ordered original pair pairs palindrome palindromic "
    "part parts pattern patterns perimeter place places plus point points polygon position positions positive power present "
    "previous prime product property quotient radius range ratio reach real rearrange recent rectangle remain remainder "
    "remaining remove removed removes removing repeat repeated replace replaced replaces represent reverse reversed "
    "reverses right rotate round rounded row rows search second sentence separate separated sequence sequences series set "
    "sets seven shift short shorter shortest side sides similar single six size slice small smaller smallest sort sorted "
    "sorting sorts space spaces special specific sphere split splits square squares start starting starts str string "
    "strings structure subarray sublist sublists subsequence subset substring substrings subtract sum sums surface swap ten "
    "term terms text th third thirds three time times top total transform tree triangle tuple tuples twice two unique "
    "update upper uppercase various vector volume vowel vowels whole word words zero zeros"
)
STOCK: Hashes = words.distinct(
    readings.prose_words(next(words.texts(words.of_strings([f"{_GRAMMAR} {_INSTRUCTION} {_MATTER}"])))).hashes
)
"""Their hashes as `readings.prose_words` gives them, sorted."""
OPENING: Hashes = words.word_hashes("write create implement define develop design function program method python task".split())
"""Words of openings such as "Write a function to": an n-gram that begins in one has to tell more."""
