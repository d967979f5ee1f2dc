"""The commits of the Hub's benchmarks that we read: data that changed would change what a score or a check means."""

COMMITS = {
    "openai/openai_humaneval": "7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544",
    "evalplus/humanevalplus": "d32357cf319e50e9c8d8dab5ea876c72b0fd321b",
    "google-research-datasets/mbpp": "4bb6404fdc6cacfda99d4ac4205087b89d32030c",
    "evalplus/mbppplus": "b2d74c91837c3f2a20c1299ae98133cbe7cfa077",
    "nuprl/MultiPL-E": "28441b6024e71d4a1c1c0f6bf171c935cd5a43f2",
    "xlangai/DS-1000": "4416080ac5cb80bdf7576aefb8f9a0b4d5426a44",
    "openai/gsm8k": "740312add88f781978c0658806c59bc2815b9866",
    "bigcode/bigcodebench": "b74c0d0bf70d2c0bc459be537895cca163007f1a",
    "codeparrot/apps": "21e74ddf8de1a21436da12e3e653065c5213e9d1",
    "livecodebench/code_generation_lite": "0fe84c3912ea0c4d4a78037083943e8f0c4dd505",
}
"""Data set → commit."""
