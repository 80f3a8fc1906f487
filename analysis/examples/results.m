% Mean final accuracy of every value of a setting with its interval, and its mean learning curve, in Octave.
% octave-cli results.m FILE SETTING, for example: octave-cli results.m results/quickstart.h5 model_activation
% Needs the package netcdf (Debian: octave-netcdf) and the command engram, which reads the words: netcdf knows no text of
% variable length.
1;
pkg load netcdf
given = argv();
assert(numel(given) >= 2);

[failed, text] = system(['engram export "' given{1} '" --json']);
assert(failed == 0);
trials   = jsondecode(text);                       % a struct per trial; dots of names are underscores
setting  = cellfun(@num2str, {trials.(given{2})}, 'UniformOutput', false);
done     = strcmp({trials.status}, 'done');
accuracy = ncread(given{1}, 'accuracy');       % eval x trial
step     = ncread(given{1}, 'step');
final    = ncread(given{1}, 'final_accuracy')';

% 95 % Student interval; the distribution functions left Octave's core, betaincinv is in it.
student = @(n) sqrt((n - 1) * (1 ./ betaincinv(0.05, (n - 1) / 2, 0.5) - 1));
values = unique(setting(done));
for i = 1:numel(values)
  chosen = done & strcmp(setting, values{i});
  n = sum(chosen);
  curve{i} = mean(accuracy(:, chosen), 2);         % over minibatches step(:, find(chosen)(1))
  printf("%s %.6f %.6f %d\n", values{i}, mean(final(chosen)), student(n) * std(final(chosen)) / sqrt(n), n);
end
