"""What each number means, in a sentence or two; the page links every column to it."""

from __future__ import annotations

KINDS = {
    "reach": "From everyone who entered an activity down to those who met its goal, and at each step how many were"
    " lost, by reason. Reachable leaves out the control group. Of a journey: who was let in, who came to each message"
    " and was sent it, how they left; ends and the goal are shares of those let in.",
    "lift": "What treated users did beyond what the control group did, counted for everyone from the moment of entry,"
    " whether a message went or not. A user counts once, with the first entry of the epoch, and only when the time to"
    " see the outcome is over.",
    "retention": "Of those who started, the share that came back on day N. Those whose day N is not over are left out.",
    "activation": "Of those who started, the share that did it often enough in time.",
    "lifecycle": "Users active in a period: new, returning from the period before, resurrecting after a break; and the"
    " dormant, who were active in the period before and not in this one.",
    "churn": "Of those active in the N days before the last N days, the share not seen in the last N days.",
    "repurchase": "Of buyers, the share with a second purchase day in time. The days it takes are Kaplan-Meier"
    " quantiles: those who have not come back yet count as well.",
    "visits": "Pings of one user at one place without a longer gap, long enough to be a visit; or a purchase there.",
    "attribution": "Bookkeeping, not cause: purchases after a message are shared out over the messages before them by a"
    " rule. Every model sums to the same total. What messages caused is the increment, beside it.",
    "money": "What is booked for an activity (attributed) beside what it brought (incremental): the profit treated"
    " users made beyond what the control group says they would have made anyway.",
    "matching": "What a choice of this group brought, and what it would have brought under another rule, by how likely"
    " each choice was made (its propensity). Where fewer than a hundred choices carry the answer, none is given.",
}

FIELDS = {
    "epoch": "The time in which control share, variant weights and salt of an activity stayed the same.",
    "entered": "Occurrences of the first record that could lead to a message, the control group included.",
    "anyway": "The mean of the control group: what happens without the activity.",
    "with_it": "The mean of those who were not in the control group, whether a message reached them or not.",
    "difference": "With the activity minus without. The interval is right 19 times of 20. Until as many users as were"
    " declared before have matured it is always valid: right however often one looks. After that it is Student's t.",
    "relative": "The difference as a share of the control group's mean (delta method).",
    "p_fixed": "The chance of so large a difference where there is none; true for one look only.",
    "srm_p": "The chance of such a split of users over the arms, if nobody was lost. Below .001 something is wrong, and"
    " no effect is shown.",
    "immature": "Users whose time to see the outcome is not over; they are in no number. Where no events come any more,"
    " it ends by reading as of a later time.",
    "smallest_visible": "An effect of this size would be found four times of five with so many users.",
    "beside": "This variant less the other one, control group or not. The intervals of all pairs together are right 19"
    " times of 20, so the best may be picked by looking.",
    "cuped": "The difference after taking out what the same users did before they entered.",
    "holm_p": "The p-value after correcting for several variants (Holm).",
    "of_previous": "The share of the step before.",
    "lost": "Why occurrences of the step before did not get here.",
    "rate": "The share: the number beside it divided by the number before.",
    "attributed_roi": "(Margin minus cost) divided by cost, if everything treated users bought were thanks to it.",
    "iroi": "(Incremental margin minus cost) divided by cost.",
    "incremental_value": "Profit beyond what the control group says would have been made anyway.",
    "cost": "Messages that were sent, and coupons that were redeemed, also by those who would have bought anyway.",
    "cost_per_incremental": "Cost divided by buyers who would not have bought anyway.",
    "effective": "So many choices carry the estimate: (sum of weights) squared, divided by the sum of their squares.",
    "increment": "The incremental users by the lift: difference times treated users.",
}
