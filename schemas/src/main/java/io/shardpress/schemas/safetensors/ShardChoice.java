package io.shardpress.schemas.safetensors;

import io.shardpress.schemas.CheckpointException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which files of a folder hold its tensors. Where there is an index, what it lists; else
 * model.safetensors; else every *.safetensors but those that never belong to the model itself.
 * Nothing is left out, and no file is missed, without a word.
 *
 * @param files by name, sorted; empty where the folder has none
 * @param notes what users should know of files that are not read
 */
public record ShardChoice(List<String> files, List<String> notes) {
  /** The file of a checkpoint that is not split. */
  public static final String SINGLE = "model.safetensors";

  private static final String EXTENSION = ".safetensors";

  private static final Pattern NUMBERED =
      Pattern.compile("(.+)-(\\d{1,9})-of-(\\d{1,9})\\.safetensors");

  /** Mistral's and Meta's own layout of the same weights, and adapters to be put on them. */
  private static final Pattern BESIDE = Pattern.compile("(consolidated|adapter_model).*");

  private static final int SHOWN = 3;

  public ShardChoice {
    files = List.copyOf(files);
    notes = List.copyOf(notes);
  }

  /**
   * Chooses.
   *
   * @param folder for messages
   * @param names of all files in it
   * @param index what model.safetensors.index.json says, if it is there
   * @param hidden whether a file is there that {@code names} has not, as a storage's listing may be
   *     late; asked only of files that would otherwise be missing
   * @throws CheckpointException where files are missing that the index, or other files' names, tell
   *     of; where two sets of shards lie beside each other and no index says which
   */
  public static ShardChoice of(
      String folder,
      Collection<String> names,
      Optional<ShardIndex> index,
      Predicate<String> hidden) {
    TreeSet<String> all = new TreeSet<>();
    names.stream().filter(name -> name.endsWith(EXTENSION)).forEach(all::add);
    if (index.isPresent()) {
      return indexed(folder, all, index.get(), hidden);
    }
    if (all.contains(SINGLE)) {
      return new ShardChoice(List.of(SINGLE), unread(folder, all, List.of(SINGLE), SINGLE));
    }
    List<String> own = all.stream().filter(name -> !BESIDE.matcher(name).matches()).toList();
    List<String> read = own.isEmpty() ? List.copyOf(all) : own;
    return new ShardChoice(
        complete(folder, read, hidden), unread(folder, all, read, "the other *.safetensors"));
  }

  private static ShardChoice indexed(
      String folder, TreeSet<String> all, ShardIndex index, Predicate<String> hidden) {
    String file = folder + "/" + ShardIndex.FILE_NAME;
    TreeSet<String> wanted = new TreeSet<>(index.weightMap().values());
    if (wanted.isEmpty()) {
      throw new CheckpointException(file + ": found an empty weight_map, wanted tensors");
    }
    List<String> missing =
        wanted.stream().filter(name -> !all.contains(name) && !hidden.test(name)).toList();
    if (!missing.isEmpty()) {
      String tensor =
          index.weightMap().entrySet().stream()
              .filter(entry -> entry.getValue().equals(missing.get(0)))
              .findFirst()
              .orElseThrow()
              .getKey();
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: found no file %s, which weight_map wants%s; fetch %s%s",
              file,
              tensor,
              missing.get(0),
              missing.size() == 1
                  ? ""
                  : String.format(
                      Locale.ROOT,
                      ", and %d more of its %d files are missing too",
                      missing.size() - 1,
                      wanted.size()),
              missing.size() == 1 ? "that shard" : "them",
              all.contains(SINGLE) && !wanted.contains(SINGLE)
                  ? ", or remove the index if " + SINGLE + " is the whole model"
                  : ""));
    }
    return new ShardChoice(
        List.copyOf(wanted),
        unread(folder, all, wanted, ShardIndex.FILE_NAME + " does not list it"));
  }

  /** The same names, where none is missing by the numbers in them. */
  private static List<String> complete(
      String folder, List<String> names, Predicate<String> hidden) {
    SortedMap<String, List<String>> sets = new TreeMap<>();
    for (String name : names) {
      Matcher matcher = NUMBERED.matcher(name);
      if (matcher.matches()) {
        sets.computeIfAbsent(matcher.group(1) + "-*-of-" + matcher.group(3), s -> new ArrayList<>())
            .add(name);
      }
    }
    if (sets.size() > 1) {
      throw new CheckpointException(
          "%s: found shards of several sets (%s) and no %s that says which are the model's; remove the others"
              .formatted(folder, String.join(", ", sets.keySet()), ShardIndex.FILE_NAME));
    }
    TreeSet<String> complete = new TreeSet<>(names);
    for (List<String> set : sets.values()) {
      complete.addAll(missing(folder, set, hidden));
    }
    return List.copyOf(complete);
  }

  /** Those that only the listing lacks; none may be missing. */
  private static List<String> missing(String folder, List<String> set, Predicate<String> hidden) {
    Matcher one = NUMBERED.matcher(set.get(0));
    if (!one.matches()) {
      throw new IllegalArgumentException(set.get(0) + " has no number");
    }
    long total = Long.parseLong(one.group(3));
    TreeSet<Long> numbers = new TreeSet<>();
    for (String name : set) {
      Matcher matcher = NUMBERED.matcher(name);
      if (matcher.matches()) {
        numbers.add(Long.parseLong(matcher.group(2)));
      }
    }
    // Most count from 1 on, some from 0.
    long first = numbers.first() == 0 ? 0 : 1;
    long there = numbers.subSet(first, first + total).size();
    String format = "%s-%0" + one.group(2).length() + "d-of-%s.safetensors";
    List<String> late = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    // The first few tell enough: a name may say that there are a million.
    for (long number = first; number < first + total && missing.size() < SHOWN; number++) {
      String name = String.format(Locale.ROOT, format, one.group(1), number, one.group(3));
      if (numbers.contains(number)) {
        continue;
      }
      if (hidden.test(name)) {
        late.add(name);
      } else {
        missing.add(name);
      }
    }
    long absent = total - there - late.size();
    if (!missing.isEmpty()) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: found %d of the %d shards that %s tells of: %s %s missing; fetch %s",
              folder,
              there,
              total,
              set.get(0),
              String.join(", ", missing)
                  + (absent > missing.size() ? " and " + (absent - missing.size()) + " more" : ""),
              absent == 1 ? "is" : "are",
              absent == 1 ? "it" : "them"));
    }
    return late;
  }

  private static List<String> unread(
      String folder, Collection<String> all, Collection<String> read, String because) {
    List<String> left = all.stream().filter(name -> !read.contains(name)).sorted().toList();
    if (left.isEmpty()) {
      return List.of();
    }
    String shown =
        String.join(", ", left.subList(0, Math.min(SHOWN, left.size())))
            + (left.size() > SHOWN ? " and " + (left.size() - SHOWN) + " more" : "");
    boolean single = left.contains(SINGLE);
    return List.of(
        "%s: not read: %s (%s)%s"
            .formatted(
                folder,
                shown,
                because.equals(SINGLE) ? SINGLE + " is the model where there is no index" : because,
                single
                    ? "; Transformers would load "
                        + SINGLE
                        + " instead: remove what is not the model"
                    : ""));
  }
}
