"""Coupons: pools of codes, of which each message gets one of its own."""
