"""Items of catalogs and codes of coupons, put where the job finds them."""
