"""Items of catalogs where a live job looks them up."""
