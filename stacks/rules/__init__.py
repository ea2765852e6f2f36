"""The rules this project is held to while it is synthesised: the public packs of cdk-nag, and a pack of its own for Bedrock RFT."""
