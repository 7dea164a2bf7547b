package io.shardpress.schemas.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.CheckpointException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of tensors as runtimes ask for them. Who saves a model from inside something else leaves
 * what that was in the names: torch.compile {@code _orig_mod.}, DistributedDataParallel {@code
 * module.}, PEFT {@code base_model.model.}, a multimodal model {@code language_model.}; who saves
 * the decoder alone leaves {@code model.} out. No runtime loads a language model by such names.
 *
 * @param read the name that a tensor is read by, of all whose name in the file is another
 * @param notes what was done to the names, for users
 */
public record SavedNames(Map<String, String> read, List<String> notes) {
  /** What wraps modules at any depth. */
  private static final Pattern WRAPPERS =
      Pattern.compile(
          "(?<=^|\\.)(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\\.");

  /** What wraps a model as a whole, and so stands before all names. */
  private static final List<String> WHOLE = List.of("module.", "base_model.model.");

  private static final Pattern FIRST_NORM =
      Pattern.compile("(?:(.+)\\.)?layers\\.0\\.input_layernorm\\.weight");

  private static final Pattern HEAD = Pattern.compile("(?:.+\\.)?(lm_head\\.[^.]+)");

  /** What a decoder has beside each other, where nothing stands before its names. */
  private static final Pattern BARE = Pattern.compile("(layers|embed_tokens|norm|rotary_emb)\\..+");

  private static final String DECODER = "model";

  public SavedNames {
    read = Map.copyOf(read);
    notes = List.copyOf(notes);
  }

  /**
   * Finds them.
   *
   * @param checkpoint for messages
   * @param tensors all names in the files, each once
   * @param config config.json, asked for only where it matters; empty where there is none
   * @throws CheckpointException where two tensors would be read by one name
   */
  public static SavedNames of(
      String checkpoint, Collection<String> tensors, Supplier<Optional<ObjectNode>> config) {
    Map<String, String> names = new LinkedHashMap<>();
    tensors.forEach(name -> names.put(name, name));
    List<String> found = new ArrayList<>();
    unwrap(names, found);
    for (boolean again = true; again; ) {
      again = false;
      for (String prefix : WHOLE) {
        if (!names.isEmpty() && names.values().stream().allMatch(n -> n.startsWith(prefix))) {
          names.replaceAll((name, as) -> as.substring(prefix.length()));
          found.add("all begin with " + prefix);
          again = true;
        }
      }
    }
    decoder(names.values())
        .filter(before -> standsAlone(config.get()))
        .ifPresent(before -> rename(before, names, found));
    checkUnique(checkpoint, names);
    names.entrySet().removeIf(entry -> entry.getKey().equals(entry.getValue()));
    return new SavedNames(
        names, names.isEmpty() ? List.of() : List.of(note(checkpoint, names, found)));
  }

  private static void unwrap(Map<String, String> names, List<String> found) {
    Set<String> wrappers = new LinkedHashSet<>();
    names.replaceAll(
        (name, as) -> {
          Matcher matcher = WRAPPERS.matcher(as);
          while (matcher.find()) {
            wrappers.add(matcher.group());
          }
          return wrappers.isEmpty() ? as : WRAPPERS.matcher(as).replaceAll("");
        });
    if (!wrappers.isEmpty()) {
      found.add("have " + String.join(", ", wrappers) + " in them");
    }
  }

  /** What stands before a decoder's names where that is not what a runtime asks for. */
  private static Optional<String> decoder(Collection<String> names) {
    Set<String> found = new LinkedHashSet<>();
    boolean head = false;
    for (String name : names) {
      Matcher norm = FIRST_NORM.matcher(name);
      if (norm.matches()) {
        found.add(norm.group(1) == null ? "" : norm.group(1));
      }
      head |= HEAD.matcher(name).matches() && !name.startsWith("lm_head.");
    }
    // Of several decoders, none is known to be the model.
    return found.size() == 1 && (head || !found.contains(DECODER))
        ? Optional.of(found.iterator().next())
        : Optional.empty();
  }

  /** Whether config.json is that of a language model by itself, not quantized. */
  private static boolean standsAlone(Optional<ObjectNode> config) {
    return config
        .filter(json -> !json.has("text_config") && json.path("quantization_config").isEmpty())
        .map(json -> json.path("model_type"))
        .filter(JsonNode::isTextual)
        .flatMap(type -> Family.of(type.asText()))
        .isPresent();
  }

  private static void rename(String decoder, Map<String, String> names, List<String> found) {
    names.replaceAll((name, as) -> asked(decoder, as));
    if (!decoder.equals(DECODER)) {
      found.add(
          decoder.isEmpty()
              ? "have no model. before them"
              : "have " + decoder + ". before the decoder's, in place of model.");
    } else {
      found.add("have something before lm_head");
    }
  }

  private static String asked(String decoder, String name) {
    Matcher head = HEAD.matcher(name);
    if (head.matches()) {
      return head.group(1);
    }
    if (decoder.isEmpty()) {
      return BARE.matcher(name).matches() ? DECODER + "." + name : name;
    }
    return name.startsWith(decoder + ".") ? DECODER + name.substring(decoder.length()) : name;
  }

  private static String note(String checkpoint, Map<String, String> names, List<String> found) {
    String example = names.keySet().stream().sorted().findFirst().orElseThrow();
    return "%s: tensors' names %s; they are read, and written, as runtimes ask for them: %s is %s"
        .formatted(checkpoint, String.join(", ", found), example, names.get(example));
  }

  private static void checkUnique(String checkpoint, Map<String, String> names) {
    Map<String, String> seen = new LinkedHashMap<>();
    names.forEach(
        (name, as) -> {
          String other = seen.putIfAbsent(as, name);
          if (other != null) {
            throw new CheckpointException(
                "%s: tensors %s and %s would both be read as %s; remove the one that is not the model's"
                    .formatted(checkpoint, other, name, as));
          }
        });
  }
}
