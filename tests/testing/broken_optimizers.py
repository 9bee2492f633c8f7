"""Optimizers that break one law on purpose; some break others with it."""

from functools import partial

import torch


class SGD(torch.optim.SGD):
    """Keeps every law."""

    def __init__(self, params, **options):
        super().__init__(params, lr=0.01, momentum=0.9, weight_decay=0.1, **options)

    def params(self):
        return [param for group in self.param_groups for param in group["params"]]


class WritesGradients(SGD):
    def step(self, closure=None):
        loss = super().step(closure)
        for param in self.params():
            if param.grad is not None:
                param.grad.mul_(0.5)
        return loss


class ReplacesGradients(SGD):
    def step(self, closure=None):
        loss = super().step(closure)
        for param in self.params():
            param.grad = None if param.grad is None else param.grad.clone()
        return loss


class StepsTheIdle(SGD):
    """Decays what has no gradient."""

    def step(self, closure=None):
        loss = super().step(closure)
        for param in self.params():
            if param.grad is None:
                param.detach().mul_(0.99)
        return loss


class KeepsStateOfTheIdle(SGD):
    def step(self, closure=None):
        for param in self.params():
            self.state[param].setdefault("momentum_buffer", None)
            self.state[param]["seen"] = torch.ones(())
        return super().step(closure)


class SwallowsTheLoss(SGD):
    def step(self, closure=None):
        super().step(closure)
        return torch.zeros(())


class EvaluatesWithoutGrad(SGD):
    def step(self, closure=None):
        with torch.no_grad():
            return closure().detach()


class HidesErrors(SGD):
    def step(self, closure=None):
        try:
            return super().step(closure)
        except ZeroDivisionError:
            return None


class Sees(SGD):
    """Steps along gradients of its own making, and puts the others back."""

    def seen(self, grad):
        return grad

    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        kept = [param.grad for param in self.params()]
        for param, grad in zip(self.params(), kept, strict=True):
            param.grad = None if grad is None else self.seen(grad)
        try:
            super().step()
        finally:
            for param, grad in zip(self.params(), kept, strict=True):
                param.grad = grad
        return loss


class TakesSparse(Sees):
    def seen(self, grad):
        return grad.to_dense()


class ReadsMemoryOrder(Sees):
    """Transposes what is transposed in memory."""

    def seen(self, grad):
        turned = grad.ndim >= 2 and grad.mT.is_contiguous() and not grad.is_contiguous()
        return grad.mT.flatten().view(grad.shape) if turned else grad


class SkipsExpanded(Sees):
    def seen(self, grad):
        return None if 0 in grad.stride() else grad


class HidesNan(Sees):
    def seen(self, grad):
        return grad.nan_to_num() if not grad.is_sparse else grad


class OneLr(SGD):
    """Steps every group with the lr of the first."""

    def step(self, closure=None):
        lrs = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] = lrs[0]
        loss = super().step(closure)
        for group, lr in zip(self.param_groups, lrs, strict=True):
            group["lr"] = lr
        return loss


class FirstLr(SGD):
    """Steps with the lrs of its first step."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["lr"] = group.setdefault("first_lr", group["lr"])
        return super().step(closure)


class CountsElsewhere(SGD):
    """Its lr falls with a count that no state_dict has."""

    count = 0

    def step(self, closure=None):
        self.count += 1
        lrs = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] /= self.count
        loss = super().step(closure)
        for group, lr in zip(self.param_groups, lrs, strict=True):
            group["lr"] = lr
        return loss


class KeepsItsOwnOptions(SGD):
    def load_state_dict(self, state_dict):
        own = [group["weight_decay"] for group in self.param_groups]
        super().load_state_dict(state_dict)
        for group, decay in zip(self.param_groups, own, strict=True):
            group["weight_decay"] = decay


class LosesStateInCopies(SGD):
    def __getstate__(self):
        return {**super().__getstate__(), "state": {}}


class SharesStateWithCopies(SGD):
    def __deepcopy__(self, memo):
        return self


BROKEN = {
    "descends": [partial(SGD, maximize=True)],
    "leaves_gradients_alone": [WritesGradients, ReplacesGradients],
    "idles_without_gradients": [StepsTheIdle, KeepsStateOfTheIdle],
    "returns_the_closures_loss": [SwallowsTheLoss, EvaluatesWithoutGrad, HidesErrors],
    "refuses_sparse_gradients": [TakesSparse],
    "keeps_groups_apart": [OneLr],
    "reads_any_strides": [ReadsMemoryOrder, SkipsExpanded],
    "goes_by_a_changed_lr": [FirstLr],
    "hides_no_nan": [HidesNan],
    "resumes_to_the_bit": [CountsElsewhere, KeepsItsOwnOptions],
    "copies_to_the_bit": [LosesStateInCopies, SharesStateWithCopies],
}
