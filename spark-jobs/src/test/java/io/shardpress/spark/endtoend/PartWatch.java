package io.shardpress.spark.endtoend;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Counts the parts that appear in a store, by what the operating system tells of its folders. */
final class PartWatch implements AutoCloseable {
  private final WatchService service;
  private final Map<String, Integer> made = new HashMap<>();

  /** Makes the store's folders, since those that are made later would be watched too late. */
  PartWatch(Path parts) throws IOException {
    service = FileSystems.getDefault().newWatchService();
    for (int i = 0; i < 256; i++) {
      Path folder = Files.createDirectories(parts.resolve(String.format(Locale.ROOT, "%02x", i)));
      folder.register(service, StandardWatchEventKinds.ENTRY_CREATE);
    }
  }

  /** How many parts there have been. */
  int different() {
    take(service.poll());
    return made.size();
  }

  /** How many times parts appeared that had been there before. */
  int again() {
    return made.values().stream().mapToInt(times -> times - 1).sum();
  }

  /** Waits for what the system has still to tell of a process that is gone. */
  void drain() throws InterruptedException {
    while (true) {
      WatchKey key = service.poll(1, TimeUnit.SECONDS);
      if (key == null) {
        return;
      }
      take(key);
    }
  }

  private void take(WatchKey key) {
    for (WatchKey next = key; next != null; next = service.poll()) {
      for (WatchEvent<?> event : next.pollEvents()) {
        if (event.kind() == StandardWatchEventKinds.OVERFLOW) {
          throw new IllegalStateException("the system lost events");
        }
        String name = event.context().toString();
        if (name.endsWith(".arrow") && !name.startsWith(".")) {
          made.merge(name, event.count(), Integer::sum);
        }
      }
      next.reset();
    }
  }

  @Override
  public void close() throws IOException {
    service.close();
  }
}
