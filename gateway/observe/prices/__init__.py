"""What tokens cost: rates, the offline price list, and the reference model's own token counts.

Owns money per token. Must not write the ledger or ask the network.
"""
