package io.shardpress.schemas.model;

import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Which linear of a decoder block it is.
 *
 * @param kind what it computes
 * @param expert number of the expert that it belongs to, {@link #NONE} where its block has one
 *     feed-forward for all tokens, {@link #SHARED} for an expert that sees all beside others that
 *     are chosen
 */
public record LinearRole(Kind kind, int expert) implements Comparable<LinearRole>, Serializable {
  /** No expert's. */
  public static final int NONE = -1;

  /** That of the expert that all tokens go through; behind all others in order. */
  public static final int SHARED = Integer.MAX_VALUE;

  public static final LinearRole Q = new LinearRole(Kind.Q, NONE);
  public static final LinearRole K = new LinearRole(Kind.K, NONE);
  public static final LinearRole V = new LinearRole(Kind.V, NONE);
  public static final LinearRole QKV = new LinearRole(Kind.QKV, NONE);
  public static final LinearRole O = new LinearRole(Kind.O, NONE);
  public static final LinearRole GATE = new LinearRole(Kind.GATE, NONE);
  public static final LinearRole UP = new LinearRole(Kind.UP, NONE);
  public static final LinearRole GATE_UP = new LinearRole(Kind.GATE_UP, NONE);
  public static final LinearRole DOWN = new LinearRole(Kind.DOWN, NONE);

  /** The seven linears of a dense block that has each of them by itself. */
  public static final List<LinearRole> SEPARATE = List.of(Q, K, V, O, GATE, UP, DOWN);

  /** The linears of a dense block with one for q, k and v, and one for gate and up. */
  public static final List<LinearRole> FUSED = List.of(QKV, O, GATE_UP, DOWN);

  private static final Comparator<LinearRole> ORDER =
      Comparator.comparingInt(LinearRole::expert).thenComparing(LinearRole::kind);

  /** What linears compute, with the names that Transformers gives their modules. */
  public enum Kind {
    Q("self_attn.q_proj", "num_attention_heads, head_dim"),
    K("self_attn.k_proj", "num_key_value_heads, head_dim"),
    V("self_attn.v_proj", "num_key_value_heads, head_dim"),
    /** Rows of q, then of k, then of v. */
    QKV("self_attn.qkv_proj", "num_attention_heads, num_key_value_heads, head_dim"),
    O("self_attn.o_proj", "num_attention_heads, head_dim"),
    GATE("mlp.gate_proj", "intermediate_size"),
    UP("mlp.up_proj", "intermediate_size"),
    /** Rows of gate, then of up. */
    GATE_UP("mlp.gate_up_proj", "intermediate_size"),
    DOWN("mlp.down_proj", "intermediate_size");

    private final String module;
    private final String configKeys;

    Kind(String module, String configKeys) {
      this.module = module;
      this.configKeys = configKeys;
    }

    /** Whether it belongs to attention, and no expert can have it. */
    public boolean inAttention() {
      return switch (this) {
        case Q, K, V, QKV, O -> true;
        case GATE, UP, GATE_UP, DOWN -> false;
      };
    }
  }

  /** Gate, up and down of an expert. */
  public static List<LinearRole> ofExpert(int expert) {
    return List.of(
        new LinearRole(Kind.GATE, expert),
        new LinearRole(Kind.UP, expert),
        new LinearRole(Kind.DOWN, expert));
  }

  @Override
  public int compareTo(LinearRole other) {
    return ORDER.compare(this, other);
  }

  /** The module's name inside a dense block, such as self_attn.q_proj. */
  public String module() {
    return kind.module;
  }

  /** The short name in tables: q, k, v, qkv, o, gate, up, gate_up, down; expert 3 gate. */
  public String label() {
    String label = kind.name().toLowerCase(Locale.ROOT);
    return switch (expert) {
      case NONE -> label;
      case SHARED -> "shared " + label;
      default -> "expert " + expert + " " + label;
    };
  }

  @Override
  public String toString() {
    return label();
  }

  /** Rows of the weight. */
  public int out(ModelConfig config) {
    return out(BlockWidths.of(config));
  }

  /** Columns of the weight. */
  public int in(ModelConfig config) {
    return in(BlockWidths.of(config));
  }

  /** Rows of the weight in a block of those widths. */
  public int out(BlockWidths widths) {
    return switch (kind) {
      case Q -> widths.queryWidth();
      case K, V -> widths.keyWidth();
      case QKV -> Math.addExact(widths.queryWidth(), Math.multiplyExact(2, widths.keyWidth()));
      case GATE, UP -> widths.feedForward(expert);
      case GATE_UP -> Math.multiplyExact(2, widths.feedForward(expert));
      case O, DOWN -> widths.hidden();
    };
  }

  /** Columns of the weight in a block of those widths. */
  public int in(BlockWidths widths) {
    return switch (kind) {
      case Q, K, V, QKV, GATE, UP, GATE_UP -> widths.hidden();
      case O -> widths.queryWidth();
      case DOWN -> widths.feedForward(expert);
    };
  }

  /** Whether the linear has a bias. */
  public boolean bias(ModelConfig config) {
    return switch (kind) {
      case Q, K, V, QKV -> config.qkvBias();
      case O -> config.oBias();
      case GATE, UP, GATE_UP, DOWN -> config.mlpBias();
    };
  }

  /** The keys of config.json that, with hidden_size, decide the weight's shape. */
  String configKeys() {
    return switch (expert) {
      case NONE -> kind.configKeys;
      case SHARED -> "shared_expert_intermediate_size";
      default -> "intermediate_size or moe_intermediate_size, number of experts";
    };
  }
}
