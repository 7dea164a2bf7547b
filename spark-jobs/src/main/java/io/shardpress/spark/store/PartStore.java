package io.shardpress.spark.store;

import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.StorageFault;
import io.shardpress.spark.io.Traffic;
import io.shardpress.spark.io.WholeFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A folder of parts, WORK/parts/ab/abcdef….arrow, on any Hadoop file system; it may serve many
 * runs. A part that is there is whole ({@link WholeFile}), and twins that race write the same
 * bytes.
 */
public final class PartStore {
  private final String uri;
  private final Configuration configuration;
  private final Traffic traffic;

  public PartStore(String uri, Configuration configuration) {
    this(uri, configuration, Traffic.UNHEARD);
  }

  /**
   * @param traffic hears of what is read and written
   */
  public PartStore(String uri, Configuration configuration, Traffic traffic) {
    this.uri = uri;
    this.configuration = configuration;
    this.traffic = traffic;
  }

  public String uri() {
    return uri;
  }

  /** Whether the step's result is there. */
  public boolean has(PartKey key) {
    Path path = path(key);
    try {
      return fileSystem(path).getFileStatus(path).getLen() > 0;
    } catch (FileNotFoundException e) {
      return false;
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot look up", e);
    }
  }

  /** Those that are there, asked for side by side. */
  public Set<PartKey> present(Collection<PartKey> keys) {
    List<PartKey> asked = List.copyOf(new LinkedHashSet<>(keys));
    List<Boolean> answers = LookUps.each(asked, this::has);
    Set<PartKey> present = new HashSet<>();
    for (int i = 0; i < asked.size(); i++) {
      if (answers.get(i)) {
        present.add(asked.get(i));
      }
    }
    return present;
  }

  /** Whether all of them are there. */
  public boolean hasAll(Collection<PartKey> keys) {
    return present(keys).containsAll(keys);
  }

  /** Begins a part; nobody sees it before {@link PartWriter#commit}. */
  public PartWriter write(PartKey key) {
    return new PartWriter(this, key);
  }

  /** Opens a part that is there. */
  public PartReader read(PartKey key) {
    return new PartReader(this, key);
  }

  /**
   * Reads something of each part, side by side.
   *
   * @param what run by several threads at once, each with a reader of its own that is closed behind
   *     it
   * @return in the order of the parts
   * @throws PartException with all parts that are bad
   */
  public <R> List<R> readEach(List<PartKey> parts, Function<PartReader, R> what) {
    return LookUps.each(
        parts,
        part -> {
          try (PartReader reader = read(part)) {
            return what.apply(reader);
          }
        });
  }

  /** Forgets a part; nothing happens where it is not there. */
  public void delete(PartKey key) {
    Path path = path(key);
    try {
      fileSystem(path).delete(path, false);
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot delete", e);
    }
  }

  /** Forgets a part that turned out to be bad, with what lies beside it. */
  public void discard(PartKey key) {
    delete(key);
    StoredShard.delete(this, key);
  }

  /** URI of the file of a part. */
  public String uri(PartKey key) {
    return path(key).toString();
  }

  Path path(PartKey key) {
    return new Path(uri, "parts/" + key.hex().substring(0, 2) + "/" + key.hex() + ".arrow");
  }

  /** Begins a file of the store. */
  WholeFile create(Path path) {
    try {
      return WholeFile.create(fileSystem(path), path, path.getParent(), traffic);
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot write", e);
    }
  }

  Traffic traffic() {
    return traffic;
  }

  FileSystem fileSystem(Path path) {
    return FileSystems.of(path, configuration);
  }
}
