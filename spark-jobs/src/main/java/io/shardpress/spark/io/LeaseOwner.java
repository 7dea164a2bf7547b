package io.shardpress.spark.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/**
 * Who holds a {@link Lease}.
 *
 * @param started when the process began
 * @param machine what tells this boot of this machine, and on it this space of process numbers,
 *     from all others; empty where nothing does
 * @param token of this lease alone
 */
record LeaseOwner(String host, long pid, String started, String machine, String token) {
  private static final ObjectMapper JSON = JsonMapper.builder().build();
  private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
  private static final Path PROCESS_NUMBERS = Path.of("/proc/self/ns/pid");

  /** The kernel's count of seconds since boot and its clock may disagree by so much. */
  private static final Duration SAME_START = Duration.ofSeconds(5);

  static LeaseOwner ofThisProcess() {
    ProcessHandle process = ProcessHandle.current();
    String started = process.info().startInstant().map(Instant::toString).orElse("");
    return new LeaseOwner(hostName(), process.pid(), started, thisMachine(), newToken());
  }

  private static String newToken() {
    return UUID.randomUUID().toString();
  }

  /** Whether it is known that the owner's process is no more. */
  boolean dead() {
    return here() && !running();
  }

  /** Whether the owner is a process that runs on this machine. */
  boolean alive() {
    return here() && running();
  }

  private boolean here() {
    return !machine.isEmpty() && machine.equals(thisMachine());
  }

  private boolean running() {
    Optional<ProcessHandle> process = ProcessHandle.of(pid).filter(ProcessHandle::isAlive);
    Optional<Instant> start = process.flatMap(found -> found.info().startInstant());
    if (start.isEmpty() || started.isEmpty()) {
      return process.isPresent();
    }
    // The number may have been given to another process since.
    return Duration.between(start.get(), Instant.parse(started)).abs().compareTo(SAME_START) <= 0;
  }

  String json() {
    try {
      return JSON.writeValueAsString(this) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("strings and numbers can be written", e);
    }
  }

  /** Empty where the text is not, or not yet, that of an owner. */
  static Optional<LeaseOwner> parse(byte[] json) {
    try {
      return Optional.ofNullable(JSON.readValue(json, LeaseOwner.class))
          .filter(owner -> owner.token != null && owner.machine != null && owner.started != null);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "a run on %s (process %d, since %s)", host, pid, started);
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "an unnamed host";
    }
  }

  private static String thisMachine() {
    try {
      return Files.readString(BOOT).strip() + " " + Files.readSymbolicLink(PROCESS_NUMBERS);
    } catch (IOException | UnsupportedOperationException e) {
      return "";
    }
  }
}
