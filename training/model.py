"""A Qwen2-shaped transformer, small enough to train on two cores, saved as the Hugging Face layout names it."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

ROPE_THETA = 10_000.0
POSITIONS_MAX = 512


@dataclass(frozen=True)
class Shape:
    vocabulary_size: int
    hidden_size: int = 128
    inner_size: int = 384
    layer_count: int = 4
    head_count: int = 4
    key_head_count: int = 2

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.head_count


class Norm(nn.Module):
    def __init__(self, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, 1e-6)


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat((-second, first), dim=-1) * sine


class Attention(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        keys_size = shape.key_head_count * shape.head_size
        self.q_proj = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.k_proj = nn.Linear(shape.hidden_size, keys_size)
        self.v_proj = nn.Linear(shape.hidden_size, keys_size)
        self.o_proj = nn.Linear(shape.hidden_size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor | None, cache: list | None) -> Tensor:
        rows, length, _ = x.shape
        shape = self.shape
        query = self.q_proj(x).view(rows, length, shape.head_count, shape.head_size).transpose(1, 2)
        key = self.k_proj(x).view(rows, length, shape.key_head_count, shape.head_size).transpose(1, 2)
        value = self.v_proj(x).view(rows, length, shape.key_head_count, shape.head_size).transpose(1, 2)
        query, key = rotate(query, cosine, sine), rotate(key, cosine, sine)
        if cache is not None:
            if cache:
                key, value = torch.cat((cache[0], key), dim=2), torch.cat((cache[1], value), dim=2)
            cache[:] = [key, value]
        group = shape.head_count // shape.key_head_count
        if group > 1:
            key, value = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=mask is None)
        return self.o_proj(mixed.transpose(1, 2).reshape(rows, length, shape.hidden_size))


class Inner(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.inner_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.inner_size, bias=False)
        self.down_proj = nn.Linear(shape.inner_size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.input_layernorm = Norm(shape.hidden_size)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = Norm(shape.hidden_size)
        self.mlp = Inner(shape)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor | None, cache: list | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cosine, sine, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layer_count))
        self.norm = Norm(shape.hidden_size)


class Transformer(nn.Module):
    """Input and output embeddings are tied."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.model = Body(shape)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.05)
        for layer in self.model.layers:
            for weight in (layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight):
                nn.init.normal_(weight, std=0.05 / (2 * shape.layer_count) ** 0.5)
            for linear in (layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj):
                nn.init.zeros_(linear.bias)
        frequencies = ROPE_THETA ** -(torch.arange(0, shape.head_size, 2).float() / shape.head_size)
        angles = torch.outer(torch.arange(POSITIONS_MAX).float(), frequencies).repeat(1, 2)
        self.register_buffer("cosine", angles.cos(), persistent=False)
        self.register_buffer("sine", angles.sin(), persistent=False)

    def states(self, tokens: Tensor) -> Tensor:
        """The last layer's states of whole sequences, padded on the right, at all positions."""
        length = tokens.shape[1]
        cosine, sine = self.cosine[:length], self.sine[:length]
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x, cosine, sine, None, None)
        return self.model.norm(x)

    def logits(self, states: Tensor) -> Tensor:
        return F.linear(states, self.model.embed_tokens.weight)

    @torch.no_grad()
    def decode(self, prompts: list[list[int]], end: int, pad: int, length_max: int) -> list[list[int]]:
        """Greedy continuations of all prompts at once, up to `end` (not included) or `length_max` tokens."""
        lengths = torch.tensor([len(prompt) for prompt in prompts])
        width = int(lengths.max())
        tokens = torch.tensor([prompt + [pad] * (width - len(prompt)) for prompt in prompts])
        caches: list[list] = [[] for _ in self.model.layers]
        columns = torch.arange(width)
        mask = (columns[None, :] <= columns[:, None])[None, None]
        x = self.model.embed_tokens(tokens)
        for layer, cache in zip(self.model.layers, caches):
            x = layer(x, self.cosine[:width], self.sine[:width], mask, cache)
        current = self.logits(self.model.norm(x[torch.arange(len(prompts)), lengths - 1])).argmax(-1)
        seen = (columns[None, :] < lengths[:, None])[:, None, None]
        outputs = [current]
        running = current != end
        for step in range(min(length_max, POSITIONS_MAX - width) - 1):
            if not running.any():
                break
            seen = torch.cat((seen, torch.ones(len(prompts), 1, 1, 1, dtype=torch.bool)), dim=-1)
            places = lengths + step
            cosine, sine = self.cosine[places][:, None, None], self.sine[places][:, None, None]
            x = self.model.embed_tokens(current)[:, None]
            for layer, cache in zip(self.model.layers, caches):
                x = layer(x, cosine, sine, seen, cache)
            current = self.logits(self.model.norm(x[:, 0])).argmax(-1)
            outputs.append(current)
            running &= current != end
        rows = torch.stack(outputs, dim=1).tolist()
        return [row[: row.index(end)] if end in row else row for row in rows]

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


def save(model: Transformer, folder: Path, end: int, pad: int) -> None:
    """Weights in half precision: half the bytes; the engine computes in single precision."""
    shape = model.shape
    weights = {name: tensor.detach().half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    config = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "vocab_size": shape.vocabulary_size,
        "hidden_size": shape.hidden_size,
        "intermediate_size": shape.inner_size,
        "num_hidden_layers": shape.layer_count,
        "num_attention_heads": shape.head_count,
        "num_key_value_heads": shape.key_head_count,
        "head_dim": shape.head_size,
        "hidden_act": "silu",
        "max_position_embeddings": POSITIONS_MAX,
        "rms_norm_eps": 1e-6,
        "rope_theta": ROPE_THETA,
        "attention_dropout": 0.0,
        "use_sliding_window": False,
        "sliding_window": None,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": end,
        "pad_token_id": pad,
        "torch_dtype": "float16",
    }
    generation = {"do_sample": False, "eos_token_id": end, "pad_token_id": pad, "max_new_tokens": 256}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n", encoding="utf-8")


def load(folder: Path) -> Transformer:
    """A saved model, computing in single precision as the engine does."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = Shape(
        vocabulary_size=config["vocab_size"],
        hidden_size=config["hidden_size"],
        inner_size=config["intermediate_size"],
        layer_count=config["num_hidden_layers"],
        head_count=config["num_attention_heads"],
        key_head_count=config["num_key_value_heads"],
    )
    model = Transformer(shape)
    model.load_state_dict({name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()})
    return model.eval()
