package io.shardpress.spark.io;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * Which hosts hold the bytes of files, where a file system knows that, as HDFS does. Each file is
 * asked for once; local files and object stores, which any host reads alike, are not.
 */
public final class FileHosts {
  /** As many as a block usually has; with more, a task would be as well off anywhere. */
  private static final int MOST_HOSTS = 3;

  /** What file systems answer that do not know. */
  private static final String ANY = "localhost";

  private final Configuration configuration;
  private final Map<String, List<Block>> byFile = new ConcurrentHashMap<>();

  /** File systems without hosts, by scheme and authority. */
  private final Set<String> without = ConcurrentHashMap.newKeySet();

  public FileHosts(Configuration configuration) {
    this.configuration = configuration;
  }

  private record Block(long start, long end, List<String> hosts) {}

  /**
   * Hosts that hold most of some bytes, those with most first; empty where nobody knows.
   *
   * @return at most three
   */
  public List<String> of(Collection<FileSlice> slices) {
    Map<String, Long> bytes = new TreeMap<>();
    for (FileSlice slice : slices) {
      for (Block block : blocks(slice.file())) {
        long held = slice.within(block.start(), block.end());
        if (held > 0) {
          block.hosts().forEach(host -> bytes.merge(host, held, Long::sum));
        }
      }
    }
    return bytes.entrySet().stream()
        // A stable sort: of hosts with as many bytes the first by name.
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .limit(MOST_HOSTS)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Asks for files that are not known yet, side by side. */
  public void prepare(Collection<String> files) {
    List<String> unknown =
        files.stream().distinct().filter(file -> !byFile.containsKey(file)).toList();
    // The first tells whether there is anything to ask the others for.
    if (!unknown.isEmpty() && !blocks(unknown.get(0)).isEmpty()) {
      SideBySide.forEach(unknown.subList(1, unknown.size()), this::blocks);
    }
  }

  private List<Block> blocks(String file) {
    List<Block> known = byFile.get(file);
    if (known != null) {
      return known;
    }
    Path path = new Path(file);
    String system = path.toUri().getScheme() + "://" + path.toUri().getAuthority();
    if (without.contains(system)) {
      return List.of();
    }
    try {
      FileSystem fileSystem = FileSystems.of(path, configuration);
      if (fileSystem instanceof RawLocalFileSystem || WholeFile.appearsAtClose(fileSystem, path)) {
        without.add(system);
        return List.of();
      }
      List<Block> blocks = new ArrayList<>();
      for (BlockLocation location : fileSystem.getFileBlockLocations(path, 0, Long.MAX_VALUE)) {
        List<String> hosts =
            Arrays.stream(location.getHosts()).filter(host -> !host.equals(ANY)).toList();
        long start = location.getOffset();
        blocks.add(new Block(start, start + location.getLength(), hosts));
      }
      if (!blocks.isEmpty() && blocks.stream().allMatch(block -> block.hosts().isEmpty())) {
        without.add(system);
        return List.of();
      }
      byFile.put(file, blocks);
      return blocks;
    } catch (IOException e) {
      // A task runs anywhere then, and says itself what is wrong with the file.
      return List.of();
    }
  }
}
