/** English words that say nothing of what a sentence is about. In another language they do no harm. */
export const stopWords = new Set(
  `a about above actually after again all almost already also although always am an and any anybody anyone anything are
  aren't around as at away back basically be because been before being below between both but by came can can't come
  could couldn't did didn't do does doesn't doing don't done down each either else even ever every everybody everyone
  everything exactly fine few first for from further get gets getting go goes going gonna good got great had hadn't has
  hasn't have haven't having he he'd he'll he's hello her here hers herself hey hi him himself his honestly how i i'd i'll
  i'm i've if in into is isn't it it'd it'll it's its itself just kind know last let let's like little lot made make many
  maybe me mean might more most much must my myself nearly never no nobody none nor not nothing now of off oh ok okay on
  once one only or other our ours ourselves out over own perhaps please pretty probably put quite rather really right said
  same say says see seems shall she she'd she'll she's should shouldn't since so some somebody someone something sorry
  sort still such sure take than thank thanks that that's the their theirs them themselves then there there's these they
  they'd they'll they're they've thing things think this those though through till time to together told too true try two
  uh um under until up upon us very want wants was wasn't way we we'd we'll we're we've well went were weren't what what's
  when where whether which while who who's whole whom whose why will with without won't would wouldn't yeah yes yet you
  you'd you'll you're you've your yours yourself yourselves`.split(/\s+/),
)
