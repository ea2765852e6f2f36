"""The pieces of the judge (RLAIF): what it is told, how text is kept from instructing it, how it is asked, what counts as an answer.

`reward.graders.judge` puts them together. Nothing here is imported unless the settings name that grader.
"""
