"""The statements of arXiv 2411.07724 once more: its LaTeX, symbol for symbol, in 60-digit decimals.

It shares nothing with `lionkit.theory`: the constants of a problem come in as decimals, and every expression stands as
the paper prints it, powers of K and all.
"""

from decimal import Decimal, getcontext

getcontext().prec = 60


class Paper:
    def __init__(self, d, L, sigma, f1_minus_fstar, K=1):
        self.d, self.L, self.sigma, self.gap, self.K = (Decimal(x) for x in (d, L, sigma, f1_minus_fstar, K))

    def power(self, exponent):
        return self.K ** Decimal(exponent)

    def settings(self, c1, c2, c3):
        beta1 = 1 - Decimal(c1) / self.K.sqrt()
        beta2 = 1 - Decimal(c2) / self.K.sqrt()
        eta = Decimal(c3) / (self.d.sqrt() * self.power("0.75"))
        return beta1, beta2, eta

    def lemma6(self, beta1, beta2, eta):
        beta1, beta2, eta = Decimal(beta1), Decimal(beta2), Decimal(eta)
        return (
            self.sigma / (self.K * (1 - beta2)),
            2 * self.L * eta * self.d.sqrt() / (1 - beta2),
            (abs(beta1 - beta2) + 1 - beta1) * self.sigma / (1 - beta2).sqrt(),
        )

    def theorem2(self, c1, c2, c3):
        c1, c2, c3 = Decimal(c1), Decimal(c2), Decimal(c3)
        sigma, root_d = self.sigma, self.d.sqrt()
        return (
            self.gap * root_d / (c3 * self.power("0.25")),
            2 * sigma * root_d / (c2 * self.power("0.5")),
            4 * self.L * c3 * root_d / (c2 * self.power("0.25")),
            2 * sigma * (2 * c1 + c2) * root_d / (c2.sqrt() * self.power("0.25")),
            2 * self.L * c3 * root_d / self.power("0.75"),
        )

    def proof_of_theorem2(self, beta1, beta2, eta):
        """Appendix A.3 divided by K eta, before the constants are put in."""
        eta = Decimal(eta)
        tracking = sum(self.lemma6(beta1, beta2, eta))
        return self.gap / (eta * self.K) + 2 * self.d.sqrt() * tracking + 2 * self.d * self.L * eta

    def corollary3_constants(self):
        c = (self.L * self.gap).sqrt() / self.sigma
        return c, c, self.gap ** Decimal("0.75") / (self.L ** Decimal("0.25") * self.sigma.sqrt())

    def corollary3_steps(self):
        return max(self.sigma**6 / (self.L**3 * self.gap**3), self.L * self.gap / self.sigma**2)

    def corollary3(self):
        return 15 * self.d.sqrt() / self.power("0.25") * (self.sigma**2 * self.L * self.gap) ** Decimal("0.25")

    def inequality10(self, c1, c2, c3):
        c1, c2, c3 = Decimal(c1), Decimal(c2), Decimal(c3)
        sigma = self.sigma
        return (
            self.gap,
            2 * c3 * sigma / c2,
            4 * self.L * c3**2 / c2,
            2 * c3 * sigma * (2 * c1 + c2) / c2.sqrt(),
            2 * self.L * c3**2,
        )
