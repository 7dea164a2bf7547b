package io.shardpress.schemas.recipe;

import static io.shardpress.schemas.recipe.ModifierKind.GPTQ;
import static io.shardpress.schemas.recipe.ModifierKind.LRQ;
import static io.shardpress.schemas.recipe.ModifierKind.QUANTIZATION;

import java.util.Arrays;
import java.util.List;

/**
 * The keys of a modifier, their values and defaults, and llm-compressor's name for each. The parser
 * reads recipes by this table, and conf/recipes/README.md shows it; a test holds the two together.
 */
// Domains are records and the lists are copies; the checker cannot see that.
@SuppressWarnings("ImmutableEnumChecker")
enum SettingKey {
  TARGETS("targets", new Domain.Names(), List.of("Linear"), "targets", all()),
  IGNORE("ignore", new Domain.Names(), List.of("lm_head"), "ignore", all()),
  SCHEME("scheme", new Domain.Anything("a scheme's name, or {name: targets}"), "", "scheme", all()),
  CONFIG_GROUPS(
      "config_groups",
      new Domain.Anything("groups as in compressed-tensors"),
      "",
      "config_groups",
      all()),
  GROUP_SIZE(
      "group_size",
      new Domain.Anything("an integer of at least 1, or channel"),
      "",
      "group_size",
      all()),
  OBJECTIVE("objective", choice(List.of("block"), List.of("layer")), "block", "", List.of(LRQ)),
  INIT("init", choice(List.of("gptq", "rtn"), List.of()), "gptq", "", List.of(LRQ)),
  ORDER(
      "order",
      choice(List.of("sequential", "parallel"), List.of()),
      "sequential",
      "",
      List.of(LRQ)),
  RANK("rank", atLeast(0), 0L, "", List.of(LRQ)),
  ITERATIONS("iterations", atLeast(1), 500L, "", List.of(LRQ)),
  LEARNING_RATE("learning_rate", new Domain.Real(0, 1), 1e-3, "", List.of(LRQ)),
  BATCH_SIZE("batch_size", atLeast(1), 2L, "", List.of(LRQ)),
  KEEP_BEST("keep_best", new Domain.Flag(), true, "", List.of(LRQ)),
  TOUCH_UP("touch_up", new Domain.Whole(0, 0), 0L, "", List.of(LRQ)),
  STEP_SEARCH("step_search", new Domain.Flag(), true, "observer: mse", List.of(GPTQ, LRQ)),
  STEP_SEARCH_RTN("step_search", new Domain.Flag(), false, "observer: mse", List.of(QUANTIZATION)),
  ALPHA("alpha", new Domain.Real(0, 1), 0.5, "", List.of(GPTQ, LRQ)),
  DAMPING("damping", new Domain.Real(0, 10), 0.1, "", List.of(GPTQ, LRQ)),
  BLOCK_SIZE("block_size", atLeast(1), 128L, "block_size", List.of(GPTQ, LRQ)),
  DAMPENING_FRAC(
      "dampening_frac", new Domain.Real(0, 10), 0.01, "dampening_frac", List.of(GPTQ, LRQ)),
  TRUE_SEQUENTIAL("true_sequential", new Domain.Flag(), true, "", List.of(GPTQ, LRQ)),
  ACTORDER("actorder", new Domain.Nothing(), "", "actorder", List.of(GPTQ, LRQ)),
  SEED("seed", new Domain.Whole(Long.MIN_VALUE, Long.MAX_VALUE), 0L, "", List.of(GPTQ, LRQ)),
  KV_CACHE_SCHEME("kv_cache_scheme", new Domain.Nothing(), "", "kv_cache_scheme", all()),
  SEQUENTIAL_UPDATE(
      "sequential_update", new Domain.Anything("anything"), "", "sequential_update", all()),
  SEQUENTIAL_TARGETS(
      "sequential_targets", new Domain.Anything("anything"), "", "sequential_targets", all()),
  OFFLOAD_HESSIANS(
      "offload_hessians", new Domain.Anything("anything"), "", "offload_hessians", all());

  private final String key;
  private final Domain domain;
  private final Object standard;
  private final String elsewhere;
  private final List<ModifierKind> kinds;

  SettingKey(
      String key, Domain domain, Object standard, String elsewhere, List<ModifierKind> kinds) {
    this.key = key;
    this.domain = domain;
    this.standard = standard;
    this.elsewhere = elsewhere;
    this.kinds = kinds;
  }

  private static List<ModifierKind> all() {
    return List.of(QUANTIZATION, GPTQ, LRQ);
  }

  private static Domain atLeast(int least) {
    return new Domain.Whole(least, Integer.MAX_VALUE);
  }

  private static Domain choice(List<String> words, List<String> refused) {
    return new Domain.Choice(words, refused);
  }

  /** The key as a recipe writes it. */
  String key() {
    return key;
  }

  Domain domain() {
    return domain;
  }

  /** The value of a recipe that does not name the key; "" where there is none. */
  Object standard() {
    return standard;
  }

  /** llm-compressor's name for it, "" for what only we have. */
  String elsewhere() {
    return elsewhere;
  }

  List<ModifierKind> kinds() {
    return kinds;
  }

  /** The keys of a modifier in the order in which they are written. */
  static List<SettingKey> of(ModifierKind kind) {
    return Arrays.stream(values()).filter(k -> k.kinds.contains(kind)).toList();
  }
}
