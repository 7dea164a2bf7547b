package io.shardpress.schemas.recipe;

import static io.shardpress.schemas.recipe.ModifierKind.AUTO_ROUND;
import static io.shardpress.schemas.recipe.ModifierKind.AWQ;
import static io.shardpress.schemas.recipe.ModifierKind.COUPLED;
import static io.shardpress.schemas.recipe.ModifierKind.EASY_QUANT;
import static io.shardpress.schemas.recipe.ModifierKind.END_TO_END;
import static io.shardpress.schemas.recipe.ModifierKind.FLEX_ROUND;
import static io.shardpress.schemas.recipe.ModifierKind.GPTQ;
import static io.shardpress.schemas.recipe.ModifierKind.LRQ;
import static io.shardpress.schemas.recipe.ModifierKind.QUANTIZATION;
import static io.shardpress.schemas.recipe.ModifierKind.SMOOTH_QUANT;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The keys of a modifier, their values and defaults, and llm-compressor's name for each. The parser
 * reads recipes by this table, and conf/recipes/README.md shows it; a test holds the two together.
 */
// Domains are records and the lists are copies; the checker cannot see that.
@SuppressWarnings("ImmutableEnumChecker")
enum SettingKey {
  TARGETS("targets", new Domain.Names(), List.of("Linear"), "targets", quantizing()),
  IGNORE("ignore", new Domain.Names(), List.of("lm_head"), "ignore", all()),
  SCHEME(
      "scheme",
      new Domain.Anything("a scheme's name, or {name: targets}"),
      "",
      "scheme",
      quantizing()),
  CONFIG_GROUPS(
      "config_groups",
      new Domain.Anything("groups as in compressed-tensors"),
      "",
      "config_groups",
      quantizing()),
  GROUP_SIZE(
      "group_size",
      new Domain.Anything("an integer of at least 1, or channel"),
      "",
      "group_size",
      quantizing()),
  OBJECTIVE("objective", choice("block", "layer"), "block", "", List.of(LRQ)),
  INIT("init", choice("gptq", "rtn"), "gptq", "", List.of(LRQ, FLEX_ROUND)),
  ORDER("order", choice("sequential", "parallel"), "sequential", "", blockwise()),
  RANK("rank", atLeast(0), 0L, "", List.of(LRQ)),
  ITERATIONS(
      "iterations",
      atLeast(1),
      500L,
      "iters",
      withSteps(),
      Map.of(AUTO_ROUND, 200L, END_TO_END, 20L)),
  LEARNING_RATE(
      "learning_rate",
      new Domain.Real(0, 1),
      1e-3,
      "lr",
      withSteps(),
      Map.of(FLEX_ROUND, 3e-3, AUTO_ROUND, 0.0, END_TO_END, 5e-3)),
  BATCH_SIZE(
      "batch_size",
      atLeast(1),
      2L,
      "batch_size",
      List.of(GPTQ, COUPLED, LRQ, FLEX_ROUND, AUTO_ROUND, END_TO_END),
      Map.of(GPTQ, 4L, COUPLED, 4L, AUTO_ROUND, 8L, END_TO_END, 16L)),
  KEEP_BEST("keep_best", new Domain.Flag(), true, "", blockwise()),
  TOUCH_UP("touch_up", atLeast(0), 0L, "", blockwise()),
  SCALE_ITERATIONS(
      "scale_iterations",
      atLeast(0),
      100L,
      "",
      List.of(GPTQ, COUPLED, LRQ, FLEX_ROUND, AUTO_ROUND),
      Map.of(GPTQ, 0L, COUPLED, 0L, AUTO_ROUND, 0L)),
  STEP_SEARCH(
      "step_search",
      new Domain.Flag(),
      true,
      "observer: mse",
      List.of(QUANTIZATION, GPTQ, COUPLED, LRQ, AWQ, FLEX_ROUND, AUTO_ROUND),
      Map.of(QUANTIZATION, false, AWQ, false, AUTO_ROUND, false)),
  SMOOTHING_STRENGTH(
      "smoothing_strength",
      new Domain.Real(0, 1),
      0.5,
      "smoothing_strength",
      List.of(SMOOTH_QUANT)),
  N_GRID("n_grid", atLeast(1), 20L, "n_grid", List.of(AWQ)),
  CLIP("clip", new Domain.Flag(), true, "", List.of(AWQ)),
  DUO_SCALING("duo_scaling", new Domain.Anything("anything"), "", "duo_scaling", List.of(AWQ)),
  MAPPINGS(
      "mappings",
      new Domain.Anything(LayerMapping.WANTED),
      "",
      "mappings",
      List.of(AWQ, SMOOTH_QUANT)),
  OUTLIERS("outliers", new Domain.Flag(), false, "", List.of(EASY_QUANT)),
  ALPHA("alpha", new Domain.Real(0, 1), 0.5, "", startingFromGptq()),
  DAMPING("damping", new Domain.Real(0, 10), 0.1, "", startingFromGptq()),
  BLOCK_SIZE("block_size", atLeast(1), 128L, "block_size", startingFromGptq()),
  DAMPENING_FRAC(
      "dampening_frac", new Domain.Real(0, 10), 0.01, "dampening_frac", startingFromGptq()),
  TRUE_SEQUENTIAL("true_sequential", new Domain.Flag(), true, "", startingFromGptq()),
  DESCENT_ROUNDS("descent_rounds", atLeast(0), 2L, "", startingFromGptq()),
  DESCENT_SWEEPS("descent_sweeps", atLeast(0), 2L, "", startingFromGptq()),
  COUPLED_ROUNDS("coupled_rounds", atLeast(1), 2L, "", List.of(COUPLED)),
  COUPLED_SWEEPS("coupled_sweeps", atLeast(0), 3L, "", List.of(COUPLED)),
  DRAWS("draws", atLeast(1), 1L, "", List.of(COUPLED)),
  HELD_BACK("held_back", new Domain.Real(0, 0.5), 0.125, "", List.of(END_TO_END)),
  INTEGERS("integers", new Domain.Real(0, 1), 0.0, "", List.of(END_TO_END)),
  INTEGER_RATE("integer_rate", new Domain.Real(0, 1), 0.0, "", List.of(END_TO_END)),
  HIDDEN_STATES("hidden_states", new Domain.Real(0, 1000), 3.0, "", List.of(END_TO_END)),
  ACTORDER("actorder", new Domain.Order(), "", "actorder", List.of(GPTQ, COUPLED, LRQ)),
  SEED(
      "seed",
      new Domain.Whole(Long.MIN_VALUE, Long.MAX_VALUE),
      0L,
      "",
      List.of(GPTQ, COUPLED, LRQ, FLEX_ROUND, AUTO_ROUND, END_TO_END)),
  KV_CACHE_SCHEME(
      "kv_cache_scheme",
      new Domain.Anything(KvCacheScheme.WANTED),
      "",
      "kv_cache_scheme",
      quantizing()),
  SEQUENTIAL_UPDATE(
      "sequential_update", new Domain.Anything("anything"), "", "sequential_update", all()),
  SEQUENTIAL_TARGETS(
      "sequential_targets", new Domain.Anything("anything"), "", "sequential_targets", all()),
  OFFLOAD_HESSIANS(
      "offload_hessians", new Domain.Anything("anything"), "", "offload_hessians", all()),
  WEIGHT_OBSERVER(
      "weight_observer", QuantizationArgs.OBSERVERS, "", "weight_observer", quantizing()),
  INPUT_OBSERVER("input_observer", QuantizationArgs.OBSERVERS, "", "input_observer", quantizing()),
  OUTPUT_OBSERVER(
      "output_observer", QuantizationArgs.OBSERVERS, "", "output_observer", quantizing()),
  OBSERVER(
      "observer",
      new Domain.Anything("{weights: …, input: …} with names of observers"),
      "",
      "observer",
      quantizing()),
  BYPASS_DIVISIBILITY_CHECKS(
      "bypass_divisibility_checks",
      new Domain.Fixed(false),
      "",
      "bypass_divisibility_checks",
      quantizing()),
  ALGORITHM(
      "algorithm",
      new Domain.Choice(List.of("smoothquant"), List.of("log_equalization")),
      "",
      "algorithm",
      List.of(SMOOTH_QUANT)),
  CALIBRATION_FUNCTION(
      "calibration_function",
      new Domain.Nothing(),
      "",
      "calibration_function",
      List.of(SMOOTH_QUANT)),
  NUM_CALIBRATION_STEPS(
      "num_calibration_steps", new Domain.Nothing(), "", "num_calibration_steps", all()),
  DISABLE_QUANTIZATION_OBSERVER_EPOCH(
      "disable_quantization_observer_epoch",
      new Domain.Nothing(),
      "",
      "disable_quantization_observer_epoch",
      quantizing()),
  QUANTIZE("quantize", new Domain.Fixed(true), "", "quantize", List.of(GPTQ)),
  DISABLE_OPT_RTN("disable_opt_rtn", new Domain.Flag(), "", "disable_opt_rtn", List.of(AUTO_ROUND)),
  ENABLE_TORCH_COMPILE(
      "enable_torch_compile",
      new Domain.Anything("anything"),
      "",
      "enable_torch_compile",
      List.of(AUTO_ROUND)),
  DEVICE_IDS("device_ids", new Domain.Anything("anything"), "", "device_ids", List.of(AUTO_ROUND)),
  OFFLOAD_DEVICE(
      "offload_device", new Domain.Anything("anything"), "", "offload_device", List.of(AWQ)),
  MAX_CHUNK_MEMORY(
      "max_chunk_memory", new Domain.Anything("anything"), "", "max_chunk_memory", List.of(AWQ)),
  GROUP("group", new Domain.Anything("anything"), "", "group", all()),
  INDEX("index", new Domain.Anything("anything"), "", "index", all()),
  START("start", new Domain.Anything("anything"), "", "start", all()),
  END("end", new Domain.Anything("anything"), "", "end", all()),
  UPDATE("update", new Domain.Anything("anything"), "", "update", all()),
  REQUIRES_CALIBRATION_DATA(
      "requires_calibration_data",
      new Domain.Anything("anything"),
      "",
      "requires_calibration_data",
      all());

  /** Keys whose value stands in a recipe's text only where it is not the default: see there. */
  private static final Set<SettingKey> QUIET = Set.of(OUTLIERS, DESCENT_ROUNDS, DESCENT_SWEEPS);

  /** Such keys of GPTQ; other modifiers had them before. */
  private static final Set<SettingKey> QUIET_IN_GPTQ = Set.of(BATCH_SIZE, SCALE_ITERATIONS);

  private final String key;
  private final Domain domain;
  private final Object standard;
  private final String elsewhere;
  private final List<ModifierKind> kinds;
  private final Map<ModifierKind, Object> others;

  SettingKey(
      String key, Domain domain, Object standard, String elsewhere, List<ModifierKind> kinds) {
    this(key, domain, standard, elsewhere, kinds, Map.of());
  }

  SettingKey(
      String key,
      Domain domain,
      Object standard,
      String elsewhere,
      List<ModifierKind> kinds,
      Map<ModifierKind, Object> others) {
    this.others = others;
    this.key = key;
    this.domain = domain;
    this.standard = standard;
    this.elsewhere = elsewhere;
    this.kinds = kinds;
  }

  private static List<ModifierKind> all() {
    return Arrays.stream(ModifierKind.values()).filter(kind -> !kind.tunes()).toList();
  }

  private static List<ModifierKind> quantizing() {
    return Arrays.stream(ModifierKind.values()).filter(ModifierKind::takesScheme).toList();
  }

  private static List<ModifierKind> startingFromGptq() {
    return List.of(GPTQ, COUPLED, LRQ, FLEX_ROUND);
  }

  private static List<ModifierKind> blockwise() {
    return Arrays.stream(ModifierKind.values()).filter(ModifierKind::blockwise).toList();
  }

  private static List<ModifierKind> withSteps() {
    return Arrays.stream(ModifierKind.values())
        .filter(kind -> kind.blockwise() || kind.tunes())
        .toList();
  }

  private static Domain atLeast(int least) {
    return new Domain.Whole(least, Integer.MAX_VALUE);
  }

  private static Domain choice(String... words) {
    return new Domain.Choice(List.of(words), List.of());
  }

  /** The key as a recipe writes it. */
  String key() {
    return key;
  }

  /** Whether a recipe that writes this name means the key: its own, or llm-compressor's. */
  boolean isSpelled(String name) {
    return key.equals(name) || (isSetting() && elsewhere.equals(name));
  }

  Domain domain() {
    return domain;
  }

  /** The value of a recipe that does not name the key; "" where there is none. */
  Object standard() {
    return standard;
  }

  /** The value of a recipe that does not name the key in a modifier of that kind. */
  Object standard(ModifierKind kind) {
    return others.getOrDefault(kind, standard);
  }

  /** Modifiers whose default differs from {@link #standard()}. */
  Map<ModifierKind, Object> others() {
    return others;
  }

  /** Whether it is one of the algorithm's settings, not a target, a scheme or passed over. */
  boolean isSetting() {
    return !(standard instanceof List<?>) && !standard.equals("");
  }

  /**
   * Whether a recipe's text leaves a value out: that of a key which is newer than the published
   * recipe.yaml files, where it is the default. So the same recipe keeps giving the same bytes,
   * recipe.yaml among them, when a release knows more keys. Such a default must never change.
   */
  boolean isLeftOut(ModifierKind kind, Object value) {
    boolean quiet = QUIET.contains(this) || (kind == GPTQ && QUIET_IN_GPTQ.contains(this));
    return quiet && value.equals(standard(kind));
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
