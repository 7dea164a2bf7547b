package io.shardpress.spark.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Linears that runtimes join into one: q, k and v, gate and up. They have one scheme, and with FP8
 * per tensor one scale.
 *
 * @param module what vLLM calls the one, without what stands before it
 * @param parts the linears' names without it, in the order of the one's rows
 */
public record FusedLinears(String module, List<String> parts) {
  public static final List<FusedLinears> ALL =
      List.of(
          new FusedLinears("qkv_proj", List.of("q_proj", "k_proj", "v_proj")),
          new FusedLinears("gate_up_proj", List.of("gate_proj", "up_proj")));

  /** A linear of an expert that a router chooses; Mixtral has names of its own. */
  private static final Pattern OF_EXPERT =
      Pattern.compile("(?:(.+)\\.)?experts\\.\\d+\\.(gate_proj|up_proj|down_proj|w1|w2|w3)");

  private static final Map<String, String> OF_MIXTRAL =
      Map.of("w1", "gate_proj", "w2", "down_proj", "w3", "up_proj");

  public FusedLinears {
    parts = List.copyOf(parts);
  }

  /** What vLLM calls all experts of a block, which it runs as one; empty for other linears. */
  public static Optional<String> experts(String module) {
    Matcher matcher = OF_EXPERT.matcher(module);
    return matcher.matches()
        ? Optional.of((matcher.group(1) == null ? "" : matcher.group(1) + ".") + "experts")
        : Optional.empty();
  }

  /**
   * The name that vLLM asks for a linear's scheme by: the module's own, but of an expert's w1, w2
   * and w3 what others call gate_proj, down_proj and up_proj.
   */
  public static String asked(String module) {
    Matcher matcher = OF_EXPERT.matcher(module);
    if (!matcher.matches() || !OF_MIXTRAL.containsKey(matcher.group(2))) {
      return module;
    }
    return module.substring(0, matcher.start(2)) + OF_MIXTRAL.get(matcher.group(2));
  }

  /** The set that a module is joined into, by its name; empty for others. */
  static Optional<FusedLinears> of(String module) {
    String leaf = module.substring(module.lastIndexOf('.') + 1);
    return ALL.stream().filter(fused -> fused.parts.contains(leaf)).findFirst();
  }

  /** The name of what a module is joined into; its own where it stays alone. */
  public static String joined(String module) {
    return of(module)
        .map(fused -> module.substring(0, module.lastIndexOf('.') + 1) + fused.module)
        .orElse(module);
  }

  /**
   * Entries by what they are joined into; those that stay alone too.
   *
   * @param entries linears, quantized or not
   */
  public static Map<String, List<PlanEntry>> joined(List<PlanEntry> entries) {
    Map<String, List<PlanEntry>> joined = new TreeMap<>();
    for (PlanEntry entry : entries) {
      joined.computeIfAbsent(joined(entry.module()), name -> new ArrayList<>()).add(entry);
    }
    return joined;
  }
}
