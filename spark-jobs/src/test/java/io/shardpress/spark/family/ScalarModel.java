package io.shardpress.spark.family;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The forward pass of every family in f64, token by token and number by number, from config.json
 * and tensors as the families define them; it shares no code with what it is held against.
 */
public final class ScalarModel {
  private final JsonNode config;
  private final Map<String, double[]> tensors;
  private final String type;
  private final boolean gemma;
  private final int hidden;
  private final int heads;
  private final int kvHeads;
  private final int headDim;

  ScalarModel(JsonNode config, Map<String, double[]> tensors) {
    this.config = config;
    this.tensors = tensors;
    type = config.get("model_type").asText();
    gemma = type.startsWith("gemma");
    hidden = config.get("hidden_size").asInt();
    heads = config.get("num_attention_heads").asInt();
    kvHeads = config.get("num_key_value_heads").asInt();
    headDim = config.path("head_dim").asInt(hidden / heads);
  }

  /** Logits of every token of a text, [tokens][vocabulary]. */
  public double[][] logits(int[] ids) {
    double[] table = tensors.get("model.embed_tokens.weight");
    double[][] x = new double[ids.length][];
    for (int t = 0; t < ids.length; t++) {
      x[t] = Arrays.copyOfRange(table, ids[t] * hidden, (ids[t] + 1) * hidden);
      if (gemma) {
        // In bf16, as the table is: √96 is not exact there.
        double root = bf16(Math.sqrt(hidden));
        x[t] = each(x[t], value -> value * root);
      }
    }
    for (int layer = 0; layer < config.get("num_hidden_layers").asInt(); layer++) {
      x = block(x, layer);
    }
    double[] head = tensors.getOrDefault("lm_head.weight", table);
    double cap = config.path("final_logit_softcapping").asDouble(0);
    double[][] logits = new double[ids.length][];
    for (int t = 0; t < ids.length; t++) {
      double[] normed = norm(x[t], "model.norm.weight");
      logits[t] = product(head, normed);
      if (cap > 0) {
        logits[t] = each(logits[t], value -> cap * Math.tanh(value / cap));
      }
    }
    return logits;
  }

  private double[][] block(double[][] x, int layer) {
    String block = "model.layers." + layer + ".";
    double[][] attended = attention(x, block, layer);
    double[][] out = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] a = attended[t];
      double[] h = sum(x[t], gemma ? norm(a, block + "post_attention_layernorm.weight") : a);
      String before = gemma ? "pre_feedforward_layernorm" : "post_attention_layernorm";
      double[] y = feedForward(norm(h, block + before + ".weight"), block);
      out[t] = sum(h, gemma ? norm(y, block + "post_feedforward_layernorm.weight") : y);
    }
    return out;
  }

  private double[][] attention(double[][] x, String block, int layer) {
    int tokens = x.length;
    double[][][] q = new double[tokens][heads][];
    double[][][] k = new double[tokens][kvHeads][];
    double[][][] v = new double[tokens][kvHeads][];
    for (int t = 0; t < tokens; t++) {
      double[] normed = norm(x[t], block + "input_layernorm.weight");
      double[] all;
      if (type.equals("phi3")) {
        all = linear(block + "self_attn.qkv_proj", normed);
      } else {
        double[] one = linear(block + "self_attn.q_proj", normed);
        double[] two = linear(block + "self_attn.k_proj", normed);
        double[] three = linear(block + "self_attn.v_proj", normed);
        all = concatenated(concatenated(one, two), three);
      }
      for (int h = 0; h < heads; h++) {
        q[t][h] =
            rotated(headNorm(head(all, h), block + "self_attn.q_norm.weight"), t, layer, tokens);
      }
      for (int h = 0; h < kvHeads; h++) {
        double[] key = headNorm(head(all, heads + h), block + "self_attn.k_norm.weight");
        k[t][h] = rotated(key, t, layer, tokens);
        v[t][h] = head(all, heads + kvHeads + h);
      }
    }
    int window = window(layer);
    double divisor = Math.sqrt(gemma ? config.get("query_pre_attn_scalar").asDouble() : headDim);
    double cap = config.path("attn_logit_softcapping").asDouble(0);
    double[][] out = new double[tokens][];
    for (int t = 0; t < tokens; t++) {
      double[] mixed = new double[heads * headDim];
      for (int h = 0; h < heads; h++) {
        int kv = h * kvHeads / heads;
        double[] weights = new double[t + 1];
        double total = 0;
        for (int s = 0; s <= t; s++) {
          if (t - s < window) {
            double score = dot(q[t][h], k[s][kv]) / divisor;
            weights[s] = Math.exp(cap > 0 ? cap * Math.tanh(score / cap) : score);
            total += weights[s];
          }
        }
        for (int s = 0; s <= t; s++) {
          for (int i = 0; i < headDim; i++) {
            mixed[h * headDim + i] += weights[s] / total * v[s][kv][i];
          }
        }
      }
      out[t] = linear(block + "self_attn.o_proj", mixed);
    }
    return out;
  }

  /** Tokens that a query sees of a layer. */
  private int window(int layer) {
    int window = config.path("sliding_window").asInt(Integer.MAX_VALUE);
    return switch (type) {
      case "mistral", "phi3" -> window;
      case "gemma2" -> layer % 2 == 0 ? window : Integer.MAX_VALUE;
      case "gemma3_text" ->
          (layer + 1) % config.get("sliding_window_pattern").asInt() == 0
              ? Integer.MAX_VALUE
              : window;
      default -> Integer.MAX_VALUE;
    };
  }

  /** cat(x₁·cos − x₂·sin, x₂·cos + x₁·sin, the rest). */
  private double[] rotated(double[] x, int position, int layer, int tokens) {
    int turned = (int) (headDim * config.path("partial_rotary_factor").asDouble(1));
    double theta = config.path("rope_theta").asDouble(10_000);
    boolean local = type.equals("gemma3_text") && window(layer) < Integer.MAX_VALUE;
    if (local) {
      theta = config.get("rope_local_base_freq").asDouble();
    }
    JsonNode scaling = config.path("rope_scaling");
    double magnitude = 1;
    double[] y = x.clone();
    String rope = scaling.path("rope_type").asText(scaling.path("type").asText());
    double most = config.path("max_position_embeddings").asDouble();
    if (rope.equals("dynamic") && tokens > most) {
      double f = scaling.get("factor").asDouble();
      theta *= Math.pow(f * tokens / most - (f - 1), turned / (turned - 2.0));
    }
    for (int i = 0; i < turned / 2; i++) {
      double frequency = Math.pow(theta, -2.0 * i / turned);
      if (rope.equals("yarn") && type.equals("llama")) {
        double f = scaling.get("factor").asDouble();
        magnitude = 1 + 0.1 * Math.log(f);
        frequency *= yarn(i, turned, theta, f, scaling);
      }
      if (scaling.path("rope_type").asText().equals("linear") && !local) {
        frequency /= scaling.get("factor").asDouble();
      }
      if (type.equals("phi3") && scaling.isObject()) {
        double original = config.get("original_max_position_embeddings").asDouble();
        double factor = config.get("max_position_embeddings").asDouble() / original;
        magnitude = Math.sqrt(1 + Math.log(factor) / Math.log(original));
        frequency /=
            scaling.get(tokens > original ? "long_factor" : "short_factor").get(i).asDouble();
      }
      double cos = magnitude * Math.cos(position * frequency);
      double sin = magnitude * Math.sin(position * frequency);
      y[i] = x[i] * cos - x[i + turned / 2] * sin;
      y[i + turned / 2] = x[i + turned / 2] * cos + x[i] * sin;
    }
    return y;
  }

  /**
   * By what YaRN multiplies a frequency: 1 for those that turn often, 1/f for those that do not.
   */
  private static double yarn(int i, int turned, double theta, double f, JsonNode scaling) {
    double original = scaling.get("original_max_position_embeddings").asDouble();
    double fast = scaling.path("beta_fast").asDouble(32);
    double slow = scaling.path("beta_slow").asDouble(1);
    double perIndex = 2 * Math.log(theta) / turned;
    double low = Math.max(0, Math.floor(Math.log(original / (2 * Math.PI * fast)) / perIndex));
    double high =
        Math.min(turned - 1, Math.ceil(Math.log(original / (2 * Math.PI * slow)) / perIndex));
    double share = Math.min(1, Math.max(0, (i - low) / (high - low)));
    return share / f + 1 - share;
  }

  private double[] feedForward(double[] x, String block) {
    int inter = config.get("intermediate_size").asInt();
    if (type.equals("phi3")) {
      double[] both = linear(block + "mlp.gate_up_proj", x);
      double[] gate = Arrays.copyOfRange(both, 0, inter);
      double[] up = Arrays.copyOfRange(both, inter, 2 * inter);
      return linear(block + "mlp.down_proj", gated(gate, up));
    }
    String sparse = block + (type.equals("mixtral") ? "block_sparse_moe" : "mlp");
    return tensors.containsKey(sparse + ".gate.weight")
        ? mixture(x, sparse)
        : dense(x, block + "mlp.", "gate_proj", "up_proj", "down_proj");
  }

  private double[] dense(double[] x, String module, String gate, String up, String down) {
    return linear(module + down, gated(linear(module + gate, x), linear(module + up, x)));
  }

  private double[] mixture(double[] x, String module) {
    double[] scores = linear(module + ".gate", x);
    double[] p = each(scores, Math::exp);
    double all = Arrays.stream(p).sum();
    p = each(p, value -> value / all);
    double[] shares = p;
    List<Integer> chosen =
        IntStream.range(0, p.length)
            .boxed()
            .sorted(Comparator.comparingDouble(e -> -shares[e]))
            .limit(config.get("num_experts_per_tok").asInt())
            .toList();
    boolean renormalise = type.equals("mixtral") || config.path("norm_topk_prob").asBoolean(false);
    double whole = renormalise ? chosen.stream().mapToDouble(e -> shares[e]).sum() : 1;
    double[] y = new double[hidden];
    for (int e : chosen) {
      String expert = module + ".experts." + e + ".";
      double[] out =
          type.equals("mixtral")
              ? dense(x, expert, "w1", "w3", "w2")
              : dense(x, expert, "gate_proj", "up_proj", "down_proj");
      y = sum(y, each(out, value -> value * shares[e] / whole));
    }
    if (type.equals("qwen2_moe")) {
      double open = 1 / (1 + Math.exp(-linear(module + ".shared_expert_gate", x)[0]));
      double[] out = dense(x, module + ".shared_expert.", "gate_proj", "up_proj", "down_proj");
      y = sum(y, each(out, value -> value * open));
    }
    return y;
  }

  private double[] gated(double[] gate, double[] up) {
    double[] y = new double[gate.length];
    for (int i = 0; i < y.length; i++) {
      double x = gate[i];
      double cubic = Math.sqrt(2 / Math.PI) * (x + 0.044715 * Math.pow(x, 3));
      y[i] = up[i] * (gemma ? 0.5 * x * (1 + Math.tanh(cubic)) : x / (1 + Math.exp(-x)));
    }
    return y;
  }

  private double[] headNorm(double[] x, String name) {
    return tensors.containsKey(name) ? norm(x, name) : x;
  }

  private double[] norm(double[] x, String name) {
    double[] w = tensors.get(name);
    double root = Math.sqrt(dot(x, x) / x.length + config.get("rms_norm_eps").asDouble());
    double[] y = new double[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = x[i] / root * (gemma ? 1 + w[i] : w[i]);
    }
    return y;
  }

  private double[] linear(String module, double[] x) {
    double[] y = product(tensors.get(module + ".weight"), x);
    double[] bias = tensors.get(module + ".bias");
    return bias == null ? y : sum(y, bias);
  }

  private static double[] product(double[] w, double[] x) {
    double[] y = new double[w.length / x.length];
    for (int row = 0; row < y.length; row++) {
      for (int i = 0; i < x.length; i++) {
        y[row] += w[row * x.length + i] * x[i];
      }
    }
    return y;
  }

  private double[] head(double[] all, int number) {
    return Arrays.copyOfRange(all, number * headDim, (number + 1) * headDim);
  }

  private static double[] concatenated(double[] a, double[] b) {
    double[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static double[] sum(double[] a, double[] b) {
    double[] sum = new double[a.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = a[i] + b[i];
    }
    return sum;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double[] each(double[] x, java.util.function.DoubleUnaryOperator f) {
    return Arrays.stream(x).map(f).toArray();
  }

  private static double bf16(double value) {
    int bits = Float.floatToRawIntBits((float) value);
    int rounded = bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF0000;
    return Float.intBitsToFloat(rounded);
  }
}
