"""How long does an import take, beside a bare COPY of the same rows?"""
