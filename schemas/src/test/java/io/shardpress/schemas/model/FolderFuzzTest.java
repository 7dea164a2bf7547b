package io.shardpress.schemas.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.fuzz.Fuzz;
import io.shardpress.schemas.fuzz.FuzzSubject;
import io.shardpress.schemas.safetensors.ShardChoice;
import io.shardpress.schemas.safetensors.ShardIndex;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Folders of any files, with an index or without, of a model saved inside anything: the files that
 * are read are the model's, each tensor has the name that runtimes ask for, and what is left out is
 * said; or the folder is rejected in one line.
 */
class FolderFuzzTest {
  @Test
  void foldersAreReadAsTheyWereMeantOrRejected() throws Exception {
    int cases = Fuzz.cases(3000, 50_000);
    Fuzz.Tally tally = Fuzz.run(cases, new Folders());
    assertThat(tally.accepted()).isGreaterThan(cases / 4);
    assertThat(tally.refused()).isGreaterThan(cases / 10);
  }

  /**
   * A folder.
   *
   * @param files tensors by file, as the files name them
   * @param late files that the listing does not show
   * @param index which file a tensor is in; null where there is none
   * @param config null where there is none
   * @param canonical what each tensor of the files is in the model
   */
  private record Folder(
      TreeMap<String, List<String>> files,
      Set<String> late,
      Map<String, String> index,
      ObjectNode config,
      Map<String, String> canonical) {}

  /**
   * @param names of all tensors that were read, in the files
   */
  private record Reading(ShardChoice choice, List<String> names, SavedNames saved) {}

  private static final class Folders implements FuzzSubject<Folder, Reading> {
    private static final List<String> MODEL =
        List.of(
            "model.embed_tokens.weight",
            "model.layers.0.input_layernorm.weight",
            "model.layers.0.mlp.up_proj.weight",
            "model.layers.0.self_attn.q_proj.bias",
            "model.layers.1.input_layernorm.weight",
            "model.layers.1.mlp.down_proj.weight",
            "model.norm.weight",
            "lm_head.weight");
    private static final List<String> BEFORE =
        List.of(
            "",
            "",
            "_orig_mod.",
            "module.",
            "base_model.model.",
            "module._orig_mod.",
            "language_model.",
            "model.language_model.",
            "_fsdp_wrapped_module.module.",
            "llm.backbone.");
    private static final List<String> STRANGERS =
        List.of(
            "consolidated.safetensors",
            "adapter_model.safetensors",
            "model.safetensors",
            "model-00001-of-00004.safetensors",
            "tokenizer.json",
            "model.bin",
            "README.md");

    @Override
    public Folder make(Random random) {
      String before = BEFORE.get(random.nextInt(BEFORE.size()));
      boolean bare = before.isEmpty() && random.nextInt(4) == 0;
      boolean compiled = random.nextInt(6) == 0;
      Map<String, String> canonical = new HashMap<>();
      List<String> names = new ArrayList<>();
      for (String name : MODEL) {
        String saved = bare && name.startsWith("model.") ? name.substring(6) : before + name;
        saved = compiled ? saved.replace("layers.1.", "layers.1._orig_mod.") : saved;
        names.add(saved);
        canonical.put(saved, name);
      }
      if (random.nextInt(20) == 0) {
        // The same tensor under two names.
        names.add("_orig_mod." + names.get(1));
        canonical.put("_orig_mod." + names.get(1), MODEL.get(1));
      }
      TreeMap<String, List<String>> files = new TreeMap<>();
      int shards = 1 + random.nextInt(3);
      boolean single = shards == 1 && random.nextBoolean();
      Map<String, String> map = new TreeMap<>();
      for (int i = 0; i < names.size(); i++) {
        String file =
            single
                ? "model.safetensors"
                : String.format(
                    Locale.ROOT, "model-%05d-of-%05d.safetensors", 1 + i % shards, shards);
        files.computeIfAbsent(file, f -> new ArrayList<>()).add(names.get(i));
        map.put(names.get(i), file);
      }
      Set<String> late = new HashSet<>();
      if (random.nextInt(4) == 0) {
        String some = List.copyOf(files.keySet()).get(random.nextInt(files.size()));
        if (random.nextBoolean()) {
          files.remove(some);
        } else if (!single) {
          late.add(some);
        }
      }
      for (String stranger : STRANGERS) {
        if (random.nextInt(8) == 0) {
          files.putIfAbsent(stranger, List.of("stranger." + stranger));
          canonical.put("stranger." + stranger, "stranger." + stranger);
        }
      }
      return new Folder(
          files, late, random.nextBoolean() ? map : null, config(random), Map.copyOf(canonical));
    }

    private static ObjectNode config(Random random) {
      ObjectNode config = JsonNodeFactory.instance.objectNode();
      switch (random.nextInt(6)) {
        case 0 -> {
          return null;
        }
        case 1 -> config.putObject("text_config").put("model_type", "llama");
        case 2 -> config.put("model_type", "llama").putObject("quantization_config").put("a", 1);
        case 3 -> config.put("model_type", "mamba");
        default -> config.put("model_type", "llama");
      }
      return config;
    }

    @Override
    public long bytes(Folder folder) {
      return 100L * folder.files().values().stream().mapToInt(List::size).sum();
    }

    @Override
    public String show(Folder folder) {
      return folder.toString();
    }

    @Override
    public Reading read(Folder folder) {
      List<String> listed =
          folder.files().keySet().stream().filter(name -> !folder.late().contains(name)).toList();
      Optional<ShardIndex> index =
          Optional.ofNullable(folder.index())
              .map(map -> new ShardIndex(OptionalLong.empty(), new TreeMap<>(map)));
      ShardChoice choice = ShardChoice.of("m", listed, index, folder.files()::containsKey);
      List<String> names = new ArrayList<>();
      choice.files().forEach(file -> names.addAll(folder.files().get(file)));
      return new Reading(
          choice, names, SavedNames.of("m", names, () -> Optional.ofNullable(folder.config())));
    }

    @Override
    public boolean isRefusal(Throwable thrown) {
      return thrown instanceof CheckpointException;
    }

    /** What a person would read; empty where that cannot be told. */
    private static Optional<Set<String>> meant(Folder folder) {
      Set<String> there = new TreeSet<>(folder.files().keySet());
      there.removeIf(name -> !name.endsWith(".safetensors"));
      if (folder.index() != null) {
        Set<String> listed = new TreeSet<>(folder.index().values());
        return there.containsAll(listed) ? Optional.of(listed) : Optional.empty();
      }
      if (there.contains("model.safetensors")) {
        return Optional.of(Set.of("model.safetensors"));
      }
      for (int total = 1; total <= 4; total++) {
        String end = "-of-0000" + total + ".safetensors";
        if (there.stream().allMatch(name -> !name.endsWith(end) || folder.late().contains(name))) {
          // A listing that shows none of a set cannot tell that it is there.
          there.removeIf(name -> name.endsWith(end));
        }
      }
      Set<String> own = new TreeSet<>(there);
      own.remove("consolidated.safetensors");
      own.remove("adapter_model.safetensors");
      Set<String> read = own.isEmpty() ? there : own;
      for (int total = 1; total <= 4; total++) {
        String end = "-of-0000" + total + ".safetensors";
        long found = read.stream().filter(name -> name.endsWith(end)).count();
        long numbered = read.stream().filter(name -> name.contains("-of-")).count();
        if (found > 0 && (found < total || found < numbered)) {
          return Optional.empty();
        }
      }
      return Optional.of(read);
    }

    private static boolean alone(ObjectNode config) {
      return config != null
          && config.path("model_type").asText().equals("llama")
          && !config.has("quantization_config");
    }

    @Override
    public void accepted(Folder folder, Reading reading) {
      assertThat(meant(folder)).isPresent();
      assertThat(new TreeSet<>(reading.choice().files())).isEqualTo(meant(folder).get());
      Set<String> left = new TreeSet<>(folder.files().keySet());
      left.removeIf(name -> !name.endsWith(".safetensors") || folder.late().contains(name));
      left.removeAll(reading.choice().files());
      assertThat(reading.choice().notes().isEmpty()).isEqualTo(left.isEmpty());
      left.stream()
          .limit(3)
          .forEach(name -> assertThat(reading.choice().notes().toString()).contains(name));
      Set<String> read = new HashSet<>();
      boolean decoder =
          reading.names().stream()
              .anyMatch(
                  name ->
                      folder.canonical().get(name).equals("model.layers.0.input_layernorm.weight"));
      boolean changed = false;
      for (String name : reading.names()) {
        String as = reading.saved().read().getOrDefault(name, name);
        assertThat(read.add(as)).as(name).isTrue();
        assertThat(as).doesNotContain("_orig_mod", "_fsdp_wrapped_module");
        if (alone(folder.config()) && decoder) {
          assertThat(as).isEqualTo(folder.canonical().get(name));
        } else {
          assertThat(name).endsWith(last(as));
        }
        changed |= !as.equals(name);
      }
      assertThat(reading.saved().notes().isEmpty()).isEqualTo(!changed);
    }

    private static String last(String name) {
      return name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
    }

    @Override
    public void refused(Folder folder, Throwable refusal) {
      Optional<Set<String>> meant = meant(folder);
      if (meant.isPresent()) {
        List<String> read = new ArrayList<>();
        meant.get().forEach(file -> read.addAll(folder.files().get(file)));
        // Then two tensors have one name.
        assertThat(read.stream().map(folder.canonical()::get).distinct().count())
            .isLessThan(read.size());
      }
    }
  }
}
