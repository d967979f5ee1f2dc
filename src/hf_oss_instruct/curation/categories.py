"""The paper's ten categories of tasks, and words that indicate each.

Source:
    Magicoder, arXiv 2312.02120, figure 2; the words are ours.
"""

from __future__ import annotations

CATEGORIES = {
    "Algorithmic and Data Structure": (
        "algorithm sort sorted sorting search tree graph node nodes linked list array arrays stack queue heap recursion "
        "recursive dynamic traversal binary path shortest depth breadth subarray substring permutation permutations"
    ),
    "Mathematical and Computational": (
        "math mathematical matrix vector sum prime fibonacci factorial equation polynomial probability integer integers "
        "geometry angle triangle circle numerical sqrt modulo gcd arithmetic decimal fraction"
    ),
    "Database and SQL": (
        "sql database databases query queries select insert join schema mysql postgres postgresql sqlite mongodb orm "
        "migration migrations transaction transactions foreign"
    ),
    "System Design and Architecture": (
        "architecture microservice microservices distributed scalable scalability design pattern patterns module modules "
        "component interface plugin config configuration deployment docker kubernetes service services broker event "
        "events"
    ),
    "Security and Cryptography": (
        "security secure encrypt encryption decrypt cipher hash hashing password passwords token tokens authentication "
        "authorization certificate signature sha256 aes rsa login permission permissions vulnerability"
    ),
    "Performance Optimization": (
        "performance optimize optimized optimization efficient efficiency cache caching memory parallel concurrency "
        "thread threads async latency throughput benchmark profiling buffer pool"
    ),
    "Web": (
        "web http https html css url request response server browser api rest endpoint endpoints route router cookie "
        "session json ajax django flask express javascript"
    ),
    "Domain Specific": (
        "game player robot audio video image sensor bank account payment order customer employee patient vehicle flight "
        "inventory blockchain bitcoin compiler parser genome protein music weather hotel"
    ),
    "User Interface and Application Design": (
        "ui gui button widget window view screen layout click menu dialog form component react android swift uikit render "
        "theme color font canvas animation user navigation"
    ),
    "Data Science and Machine Learning": (
        "data dataset datasets dataframe pandas numpy model training train neural network layer tensor torch tensorflow "
        "keras classifier classification regression feature features accuracy loss epoch statistics plot"
    ),
}
"""Category → words that indicate it."""
WORDS = tuple(word for words in CATEGORIES.values() for word in words.split())
OTHER = "None of the ten"
